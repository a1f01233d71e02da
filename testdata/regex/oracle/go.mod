module gatewright.test/regex-oracle

go 1.22
