//! Blocks of code in Markdown, so that what a document shows is what is run.

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of its first fence, from 1 on.
    pub(crate) line: usize,
    /// The last heading before it.
    pub(crate) heading: String,
    /// What stands behind the fence, such as `sh`.
    pub(crate) info: String,
    /// Its text, with a line break at the end of every line.
    pub(crate) text: String,
}

/// All fenced blocks, in order.
pub(crate) fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut heading = String::new();
    let mut open: Option<Block> = None;
    for (at, line) in markdown.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(block), Some(rest)) if rest.trim().is_empty() => {
                blocks.push(block.clone());
                open = None;
            }
            (Some(block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, Some(info)) => {
                open = Some(Block {
                    line: at + 1,
                    heading: heading.clone(),
                    info: info.trim().to_owned(),
                    text: String::new(),
                });
            }
            (None, None) => {
                if line.starts_with('#') {
                    line.trim_start_matches('#').trim().clone_into(&mut heading);
                }
            }
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_know_their_heading_and_their_line() {
        let found = blocks("# A\n\n```sh\n# not a heading\nls\n```\n\n## B\n```\nx\n```\n");
        let short: Vec<_> = found
            .iter()
            .map(|block| (block.line, block.heading.as_str(), block.info.as_str()))
            .collect();
        assert_eq!(short, [(3, "A", "sh"), (9, "B", "")]);
        assert_eq!(found[0].text, "# not a heading\nls\n");
    }
}
