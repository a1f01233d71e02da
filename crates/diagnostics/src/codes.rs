use std::fmt;

use serde::{Serialize, Serializer};

use crate::Severity;

/// What the table of codes says of one code.
#[derive(Debug)]
pub struct CodeInfo {
    /// Its number, such as 123 for `GW0123`.
    pub number: u16,
    /// Its name in words, such as `helm-template`.
    pub name: &'static str,
    /// Its severity unless a diagnostic says otherwise.
    pub severity: Severity,
    /// What it means, in one line.
    pub title: &'static str,
    /// The explain page: what happened, why it matters, what to do. Markdown.
    pub explanation: &'static str,
}

macro_rules! codes {
    ($($variant:ident = $number:literal, $name:literal, $severity:ident, $title:literal, $explanation:literal;)*) => {
        /// The code of a diagnostic. Numbers never change their meaning.
        ///
        /// Ranges: 01xx reading files, 02xx Kubernetes objects, 03xx how ingress-nginx combines
        /// them, 04xx annotation keys and values, 05xx translated with a difference, 06xx refused,
        /// 07xx limits of the target, 08xx patterns, 09xx environment, configuration and `verify`.
        #[expect(clippy::doc_markdown, reason = "the titles are shown on terminals as they are")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant = $number,)*
        }

        /// The table of codes, in ascending order.
        pub static CODES: &[(Code, CodeInfo)] = &[
            $((Code::$variant, CodeInfo {
                number: $number,
                name: $name,
                severity: Severity::$severity,
                title: $title,
                explanation: $explanation,
            }),)*
        ];
    };
}

codes! {
    Syntax = 101, "yaml-syntax", Error, "a document is not valid YAML",
        "The document cannot be read, and neither could kubectl read it. It is skipped; all other documents are converted and the exit code is 3.\n\nMend the document at the place shown.";
    HelmTemplate = 102, "helm-template", Error, "a document is a Helm template",
        "The document holds template actions (`{{ … }}`), so it is not YAML yet. It is skipped; all other documents are converted and the exit code is 3.\n\nRender the chart first: `helm template RELEASE CHART | gatewright convert -`.";
    DuplicateKey = 103, "duplicate-key", Warning, "a key occurs twice in one map",
        "YAML forbids it, but kubectl reads it and silently keeps the last value, and so does Gatewright. Often the first one was meant to count, or the two were to be merged: two `annotations:` blocks in one object lose all annotations of the first.\n\nRemove one of the two. Both places are shown.";
    YamlLimit = 104, "yaml-limit", Error, "a document is nested too deep or aliases blow it up",
        "Limits keep a document from using up memory: maps and lists may be nested 500 levels deep, and aliases (`*name`) may write out no more than kubectl lets them. The document is skipped; all other documents are converted and the exit code is 3.\n\nNo Kubernetes object comes near these limits. Write aliased values out, or check where the file comes from.";
    TextIgnored = 105, "text-ignored", Warning, "text behind the end of a document is ignored",
        "A line `...` ends a document. kubectl reads nothing from there to the next `---`, and neither does Gatewright, so objects that stand there are lost.\n\nReplace `...` by `---`, or remove it.";
    UnknownField = 201, "unknown-field", Error, "a field does not exist",
        "The API server refuses an object with a field that its schema does not have; with validation switched off it drops the field. The object is converted without it.\n\nCorrect the spelling or remove the field.";
    WrongType = 202, "wrong-type", Error, "a value has the wrong type",
        "The API server refuses the object. Annotation values are strings: `\"true\"`, not `true`.\n\nThe object is not converted. Mend the value at the place shown.";
    InvalidObject = 203, "invalid-object", Error, "an object is not valid",
        "The API server of Kubernetes 1.36 refuses to create the object, so it cannot be in a cluster. It is not converted; all other objects are, and the exit code is 3. Everything that is wrong with it is named, each at its place.\n\nAn object that was read from a cluster (it has a `metadata.uid`) is held only to what an update of it may keep. Objects of `v1beta1` are held to what Kubernetes 1.21 asked of them.\n\nMend what the messages name.";
    DuplicateObject = 204, "duplicate-object", Error, "an object occurs twice",
        "Two documents hold an object of the same kind, namespace and name. A cluster holds only one of them, and the files do not say which. Copies that say the same, but for what the cluster itself writes into an object, are one, and this is a warning. Of an Ingress whose copies say different things none is converted, as the one that protects a path may be the right one: the paths of all of them answer 503. Of other objects one is read, whatever the order of the files; which one depends on the contents alone, and it may be the wrong one.\n\nRemove one of them, or convert them apart.";
    OldApiVersion = 205, "old-api-version", Info, "an Ingress has an API version that Kubernetes no longer serves",
        "`extensions/v1beta1` and `networking.k8s.io/v1beta1` were removed in Kubernetes 1.22. The object is converted as the cluster would have stored it.";
    NotAnObject = 206, "not-an-object", Error, "a document is no object that Kubernetes knows",
        "The document has no `kind`, or a kind or API version that does not exist where it stands, such as `Ingres` or `networking.k8s.io/v1beta2`. The API server refuses it. What was meant to be an Ingress, a Service, a Secret or a ConfigMap is an error, because the output lacks it; other objects without a kind are a warning, and documents that are no objects at all, such as the values of a chart, are named and passed over.\n\nCorrect `apiVersion` and `kind`, or leave the file out with `--exclude`.";
    ClassSkipped = 301, "class-skipped", Info, "an Ingress belongs to another controller",
        "Its `ingressClassName`, or the older annotation `kubernetes.io/ingress.class`, names a class that is not among those to convert. It is left out.\n\nName its class with `--ingress-class` to convert it.";
    NoClass = 302, "no-class", Warning, "an Ingress names no class",
        "ingress-nginx serves such an Ingress only with `--watch-ingress-without-class`; in a cluster with a default IngressClass the API server fills in the class when the object is created. It is left out.\n\nPass `--no-class include` to convert it, or set `spec.ingressClassName`.";
    PathShadowed = 303, "path-shadowed", Warning, "another Ingress owns the path",
        "Two Ingresses define the same host, path and pathType. ingress-nginx serves the older one; of two with the same age the one whose `namespace/name` sorts last. Manifests without `creationTimestamp` all have the same age. The other path is not written, as nothing would ever reach it.\n\nRemove one of the two.";
    CanaryOrphan = 304, "canary-orphan", Warning, "a canary gets no request",
        "ingress-nginx merges a canary into an Ingress that has the same host, path and pathType. This one serves nothing: no such Ingress is in the input; or its Service is a primary one as well; or another canary of the same Service comes first, and only that is asked; or nothing says which requests are for it. Nothing is written for it.\n\nConvert the canary together with its primary Ingress, or mend what the message names.";
    ServiceUnknown = 305, "service-unknown", Warning, "a Service is not among the input objects",
        "Other Services of the namespace are in the input, this one is not. The route refers to it nevertheless. As long as the Service does not exist, ingress-nginx and the converted route both answer 503.\n\nAdd the Service to the input, or correct its name.";
    PortUnresolved = 306, "port-unresolved", Error, "a port name cannot be resolved",
        "Gateway API knows ports by number, and the Service that gives this name a number is not in the input. The path answers 503.\n\nAdd the Service to the input, or write the port's number.";
    NoEndpointsHere = 307, "backend-unavailable", Warning, "a backend cannot answer",
        "The Service has no such port, or is an ExternalName that ingress-nginx refuses to resolve. ingress-nginx answers 503 on this path, and so does the converted route.\n\nCorrect the backend.";
    ResourceBackend = 308, "resource-backend", Warning, "a backend is not a Service",
        "ingress-nginx makes no location for a path whose backend is another resource; requests for it get what the host does otherwise. Nothing is written for the path.";
    HostInvalid = 309, "host-invalid", Error, "a host name cannot be served",
        "DNS and Gateway API take at most 63 characters between two dots of a host name; Kubernetes limits only the whole name. No client can ask for such a host. Nothing is written for it.\n\nCorrect the host name.";
    PassthroughOff = 310, "passthrough-off", Warning, "ssl-passthrough is not enabled in the controller",
        "`ssl-passthrough` acts only when the controller runs with `--enable-ssl-passthrough`, which is off by default. Without it TLS is terminated as usual, and so it is in the output.\n\nPass `--enable-ssl-passthrough` if the controller had that flag.";
    WildcardWww = 311, "www-redirect-wildcard", Error, "from-to-www-redirect on a wildcard host",
        "ingress-nginx makes a server name that nginx refuses, and then cannot load any configuration. No redirect is written.\n\nRemove the annotation from the wildcard host.";
    IngressNotFound = 312, "nothing-selected", Warning, "no Ingress was selected",
        "The input holds no Ingress of the classes, namespaces and names that were asked for.";
    ControllerConfigMissing = 313, "controller-config-missing", Error, "the controller's ConfigMap is not in the input",
        "Its settings change what every Ingress does, so the conversion would not be that of this controller. The defaults are used.\n\nAdd the ConfigMap to the input, or correct its name.";
    CertificateMissing = 314, "certificate-missing", Warning, "a TLS Secret is not among the input objects",
        "Other TLS Secrets of the namespace are in the input, this one is not, and no annotation lets cert-manager make it. The Gateway refers to it nevertheless. As long as the Secret does not exist, ingress-nginx serves its default certificate for the hosts, and the Gateway another one that it has; a listener without any certificate serves nothing.\n\nAdd the Secret to the input, or correct its name. `--default-ssl-certificate NAMESPACE/NAME` gives the Gateway a default certificate.";
    LocationTwice = 315, "location-twice", Error, "two paths make the same nginx location",
        "A Prefix path `/foo` and a Prefix path `/foo/` of one host both become `location /foo/`. nginx refuses a configuration that has it twice, and from then on the controller cannot apply any change to any Ingress. The output serves the path that came first: that of the older Ingress, or the one that is written first. Where the two belong to Ingresses that are protected in different ways, it answers 503.\n\nKeep the one without the slash: it takes what lies below it as well.";
    PatternAsText = 316, "pattern-as-text", Warning, "a path looks like a pattern and is compared as it is written",
        "ingress-nginx reads paths as patterns only on hosts for which some Ingress sets `use-regex: \"true\"` or a `rewrite-target` that changes the path; `pathType: ImplementationSpecific` alone does not do it. On other hosts nginx compares the text as it stands, so that requests like `/img/a.png` never reach a path `/img/.*`. The output does the same.\n\nSet `use-regex: \"true\"` if a pattern is meant.";
    SettingOverruled = 317, "setting-overruled", Warning, "another Ingress decides a setting",
        "Some settings belong to a host or to a Service and not to an Ingress: `server-alias`, `app-root`, `from-to-www-redirect`, `ssl-passthrough` and `ssl-ciphers` to the host; `service-upstream`, `load-balance`, `upstream-hash-by` and the session cookie to the Service. Where several Ingresses share it, ingress-nginx takes the setting of one of them and ignores the others: the oldest as a rule, the last one for session cookies. The output does the same.\n\nWrite the setting on the Ingress that decides, or remove it.";
    PathNeverRequested = 318, "path-never-requested", Warning, "no request can match a path",
        "nginx compares paths in their normal form: `//` has become `/`, and `.` and `..` are resolved. A path that holds any of them is never equal to such a form, so neither ingress-nginx nor the output serves it.\n\nWrite the path in its normal form.";
    PathNotDecoded = 319, "path-not-decoded", Warning, "a path holds an escape or a query and is compared as it is written",
        "nginx decodes the path of a request before it compares it, and takes the query off; the path of an Ingress it takes as it is written. `/a%20b` is found by requests for `/a%2520b` only, and `/q?x=1` by `/q%3Fx=1`. The output does the same.\n\nWrite the character itself in place of its escape, and leave the query out: neither an Ingress nor a location of nginx compares it.";
    CanaryIgnores = 320, "canary-ignores", Warning, "protection on a canary Ingress has no effect",
        "Of a canary Ingress the controller reads the canary's own settings and the Service; everything else comes from the main Ingress of the same host and path. Access control that stands on the canary alone protects nothing.\n\nWrite it on the main Ingress, where it holds for both.";
    LeftOutPath = 321, "left-out-path", Warning, "the output serves a path of an Ingress that is left out",
        "`--ingress` or `--namespace` leaves out an Ingress of the same controller that has a host in common with one that is converted. Requests for its paths are served by the wider path of the other one, without its annotations. It is an error if the annotations protect these paths: they would be open.\n\nConvert the Ingresses of a host together, or apply the output only when the other ones are applied as well.";
    PathSimplified = 322, "path-simplified", Info, "a pattern is written as a plain path",
        "`--profile idiomatic` writes PathPrefix or Exact in place of a regular expression where only case and the ends of segments tell them apart, and a prefix in place of a rewrite by captures. The message says for each path what ingress-nginx does and what is answered now. A pattern stays where requests that fall out of it would come to a path that is protected less, or where paths would be asked in another order.\n\nUse `--profile faithful` if clients or backends need what is given up.";
    RedirectSimplified = 323, "redirect-simplified", Info, "a redirect is written as a plain RequestRedirect",
        "`--profile idiomatic` writes the RequestRedirect filter of Gateway API in place of an answer with exactly the `Location` that ingress-nginx sends. The message says for each redirect in what the two differ: the final slash of the path, or the query.\n\nUse `--profile faithful` if clients need the `Location` as it was.";
    AnnotationRejectsIngress = 400, "annotation-rejects-ingress", Error, "an annotation value makes ingress-nginx drop the Ingress",
        "The value does not pass the controller's validation, and for this annotation the controller then drops the whole Ingress object: none of its hosts and paths is served. (On a running controller the last accepted version of the object stays until a restart, which hides the fault.)\n\nCorrect the value, or remove the annotation. With `--nginx-version pre-1.12` values are judged as controllers before v1.12 did, which did not validate them.";
    AnnotationDeniesIngress = 401, "annotation-denies-ingress", Error, "an annotation value makes ingress-nginx answer 503",
        "The controller accepts the Ingress but cannot use this value, and as the annotation protects something it refuses every request to the paths of the Ingress with 503 rather than serve them without it.\n\nCorrect the value. The output answers 503 too.";
    AnnotationValueIgnored = 402, "annotation-value-ignored", Warning, "an annotation value is ignored",
        "The value does not pass the controller's validation. For this annotation that means it is ignored and its default holds, so the Ingress has never done what it says.\n\nThe output does what ingress-nginx does. Correct the value if you want what it says, or remove the annotation.";
    AnnotationGroupDropped = 403, "annotation-group-dropped", Warning, "an annotation value makes ingress-nginx ignore a group of annotations",
        "The controller reads related annotations together. This value makes it give up on the group, so the other annotations of the group have no effect either.\n\nThe output does what ingress-nginx does. Correct the value.";
    AuthSwitchedOff = 404, "auth-switched-off", Error, "an annotation value switches authentication off",
        "The value makes the controller leave the authentication out instead of refusing requests: the paths look protected in the manifest and are open to everyone. This is a security problem of the Ingress as it is, not of the conversion.\n\nCorrect the value, and check whether somebody has used the opening.";
    AnnotationBreaksNginx = 405, "annotation-breaks-nginx", Error, "an annotation value breaks the nginx configuration",
        "The value passes the controller's validation but nginx refuses the configuration made from it. From then on the controller cannot apply any change to any Ingress; it keeps the last configuration that worked.\n\nCorrect the value. The output is made as if the annotation were not there.";
    AnnotationTooRisky = 406, "annotation-too-risky", Error, "an annotation is above the allowed risk level",
        "Since v1.12 the controller drops every Ingress with an annotation whose risk is above `annotations-risk-level` of its ConfigMap, which is `High` unless set. The five snippet annotations are of risk `Critical`. None of the hosts and paths of the Ingress is served, whatever the value of the annotation.\n\nIf your cluster allows them, hand the controller's ConfigMap to gatewright (`--controller-config`). To judge as older controllers did, use `--nginx-version pre-1.12`.";
    SnippetDropped = 407, "snippet-dropped", Warning, "a snippet is dropped by the controller",
        "The risk level of the controller allows snippets but `allow-snippet-annotations` is false, so the controller serves the Ingress and leaves the text of the snippet out.\n\nThe output leaves it out too. If the cluster allows snippets, hand the controller's ConfigMap to gatewright (`--controller-config`).";
    AnnotationOverridden = 408, "annotation-overridden", Warning, "an annotation is overridden by its other name",
        "The annotation has two names and both are set. The controller reads one of them; the other has no effect, they are not merged.\n\nKeep one.";
    AnnotationNoEffect = 409, "annotation-no-effect", Info, "an annotation has no effect",
        "The controller reads the annotation only together with another one, which is not set or set to something else; or another annotation wins over it; or its value asks for what happens without it. The message says which.\n\nThe output leaves it out. Remove it, or set what it needs.";
    UnknownAnnotation = 410, "unknown-annotation", Warning, "an annotation does not exist",
        "No release of ingress-nginx has ever read the key: it is a key of the controller's ConfigMap, one of another controller, or an invention. It has had no effect.\n\nThe output leaves it out. If a key is suggested, look whether that was meant.";
    MisspeltAnnotation = 411, "misspelt-annotation", Warning, "an annotation is misspelt",
        "The key, or the prefix before it, differs from a real one by a few letters. The controller ignores it in silence, so it has had no effect.\n\nThe output leaves it out. Use the key that is suggested if its effect is wanted.";
    RemovedAnnotation = 412, "removed-annotation", Warning, "an annotation was removed from ingress-nginx",
        "An earlier release of the controller read this key; later ones ignore it in silence. It has had no effect since the controller was upgraded.\n\nThe output leaves it out. The message names what replaced it, if anything did.";
    AnnotationOddValue = 414, "annotation-odd-value", Warning, "an annotation value means something unexpected",
        "The value is accepted, but what the controller makes of it is probably not what its author meant.\n\nThe output does what ingress-nginx does. Read the note and change the value if it is not what you want.";
    ConfigValueIgnored = 420, "controller-setting-ignored", Warning, "a value of the controller's ConfigMap is ignored",
        "The value cannot be read as what the key needs, so the controller keeps the default of the key.\n\nThe output does the same. Correct the value or remove the key.";
    ConfigKeyUnknown = 421, "controller-setting-unknown", Info, "a key of the controller's ConfigMap does not exist",
        "The controller ignores keys that it does not know. It has had no effect.\n\nThe output leaves it out.";
    NormalisedPath = 501, "normalised-path", Info, "backends see the normalised path",
        "nginx matches the decoded path, with `//`, `.` and `..` resolved, and then forwards the request target as the client sent it. Envoy matches and forwards the normalised path, so a backend sees `/a/b` where it saw `/a//b` or `/a/./b` or `/a%2Fb`. Which rule a request takes does not change, nor does what protects it.\n\nNothing to do unless a backend depends on escaped or doubled slashes.";
    MalformedTarget = 502, "malformed-target", Info, "malformed request targets get another answer",
        "nginx answers 400 to a path with a bad escape such as `%zz`, or one that leads above the root. Envoy passes a bad escape on to the backend, resolves `/../x` to `/x`, and answers 400 to a `#`. No access rule is passed by that: the rules see the same path as the backend.";
    BackendFailure = 503, "backend-failure", Info, "a backend that refuses connections gets another status",
        "Where a backend refuses the connection nginx answers 502 and Envoy 503. Where a host name cannot be resolved both answer 503.";
    NoCertificate = 506, "no-certificate", Warning, "nothing listens for HTTPS",
        "ingress-nginx serves HTTPS for every host, with a self-signed certificate where no other fits. A Gateway listener needs a certificate from a Secret.\n\nPass `--default-ssl-certificate NAMESPACE/NAME`, the flag that the controller has for the same purpose.";
    ForwardedPrefixCaptures = 507, "forwarded-prefix-captures", Warning, "X-Forwarded-Prefix with nginx variables is not set",
        "Header values can hold captures of the path, but none of nginx's variables.\n\nWrite the prefix with captures (`$1` … `$9`) only.";
    UpstreamVhost = 509, "upstream-vhost", Warning, "upstream-vhost cannot be written",
        "Gateway API rewrites the authority to a DNS name, without port and without variables. The backend gets the `Host` of the client.\n\nName a plain host, or let the backend accept the original one.";
    HostDot = 515, "host-dot", Info, "backends do not see the final dot of a host",
        "A request for `example.com.` is served like one for `example.com` by both. nginx passes the `Host` on as it came, Envoy without the dot.";
    AuthQuestion = 520, "auth-question", Warning, "the auth service is asked in another way",
        "Envoy asks the auth service with the method and the `Host` of the request, where ingress-nginx uses GET (or `auth-method`) and the host of `auth-url`. It sends a fixed list of headers instead of all, lets a request pass on status 200 only instead of any 2xx, and passes no cookie of the auth service to clients that may pass.\n\nNone of it opens a route: an auth service that minds refuses. oauth2-proxy answers 202 at `/oauth2/auth`, so nobody would get in; started with `--upstream=static://200` it answers 200 at `/`. Let the service answer 200, accept any method, and read `X-Original-Method` and `X-Original-URL`.";
    AuthSignIn = 521, "auth-sign-in", Warning, "the way back from the sign-in page differs",
        "ingress-nginx appends the way back to the sign-in URL with the path and query escaped. Envoy cannot escape, so they are appended as they are: a page that reads the parameter gets the query of the request up to its first `&`. A sign-in URL with variables that Envoy does not know is not used at all: clients get the 401.\n\nHave the sign-in page take the way back from the rest of the URL, or accept that queries are cut.";
    AuthCache = 522, "auth-cache", Warning, "answers of the auth service are not cached",
        "Envoy has no cache for such answers: the auth service is asked about every request. It gets more load, and a session that ends is noticed at once.\n\nGive the auth service enough replicas, or a cache of its own.";
    AuthCookies = 523, "auth-cookies", Warning, "cookies of the auth service are not passed on",
        "Envoy passes `Set-Cookie` of the auth service to the client only when the request is refused. With `auth-always-set-cookie` ingress-nginx passes it with every answer, so a session that the auth service renews in that way ends early.\n\nRenew sessions at the sign-in page, or make them last longer.";
    SatisfyAll = 524, "satisfy-all", Warning, "satisfy any becomes all",
        "With `satisfy: any` one of address list, password and auth service is enough. Envoy asks for all that are configured, so clients that pass by one of them alone are refused. It is never more open than before.\n\nSplit the Ingress in two (another host or path for clients by address), or let the auth service decide about both.";
    AuthResponseHeaders = 525, "auth-response-headers", Info, "headers that clients forge are removed in another way",
        "The backend gets the headers named by `auth-response-headers` from the auth service, never from a client. Envoy cannot remove the client's own before it adds those of the auth service. A request that brings one of them is therefore passed on without any of them, where ingress-nginx would give the backend those of the auth service.\n\nClients have no reason to send these headers, except `Authorization`: leave it out of the list if clients that sign in by it must reach the backend with it.";
    LimitShape = 531, "limit-shape", Warning, "a rate limit becomes stricter",
        "nginx lets a burst of requests through at once and then as many as the rate says, counted for each client address over all paths of the Ingress. Envoy has a bucket for each path, host and listener, and it holds as many requests as it gains in one second, minute or hour. The numbers written are the largest with which no client gets more than before, neither at once nor over time.\n\nWhere clients need more, raise the numbers in the BackendTrafficPolicy.";
    ClientHandshake = 532, "client-certificate-handshake", Info, "a client without a good certificate fails in the handshake",
        "nginx finishes the TLS handshake with a client whose certificate is missing or wrong and then answers 400. Envoy ends the handshake. Chains may be longer than nginx allows, but must end in the same authority. The host gets a listener of its own; a request that names it in `Host` on a connection made for another name gets 404, where nginx answers 421.\n\nNothing to do unless clients look at the status.";
    ClientChainDepth = 533, "client-certificate-depth", Error, "the length of certificate chains is not limited",
        "`auth-tls-verify-depth`, which is 1 unless set, limits how many certificates may stand between that of the client and the authority. Envoy Gateway has no such setting: a client whose certificate comes from an authority further down is let in where ingress-nginx answers 400. Every certificate must still lead to the authority in `ca.crt`, so this matters only if that authority has issued certificates to authorities that issue some to others.\n\nSee that it has not, and accept the finding with `--accept`; or use an authority of its own for these clients.";
    ClientErrorPage = 534, "client-certificate-page", Warning, "a failed client certificate is not redirected",
        "`auth-tls-error-page` sends clients whose certificate is missing or wrong to a page. In Envoy the TLS handshake fails, so that there is no request to answer.\n\nNobody gets in by that. If clients need the page, ask for certificates with `optional` and let the application redirect.";
    LimitConnections = 535, "limit-connections", Warning, "a limit of connections holds for all clients together",
        "`limit-connections` limits the requests that one client address has open at the same time. Envoy limits what is open to a backend, whoever asked. So that no client gets more than before, all of them together get as many as one did; requests beyond get 503.\n\nRaise `circuitBreaker.maxParallelRequests` to what the backend bears.";
    LimitExemption = 536, "limit-exemption", Warning, "not every network stays exempt from a limit",
        "A rate limit of Envoy Gateway leaves out one network at most, and a limit of concurrent requests none. The largest exempt network is left out; the others are limited like everybody.\n\nGive these clients a host of their own without a limit.";
    LimitBandwidth = 537, "limit-bandwidth", Warning, "responses are not slowed down",
        "`limit-rate` slows down each response. Envoy can only limit what a route sends to all clients together, with which one client could slow down all others, so nothing is written.\n\nSet `bandwidthLimit.response` in the BackendTrafficPolicy if the route as a whole may be limited.";
    CipherNames = 538, "cipher-names", Warning, "cipher suites are left out",
        "Envoy's TLS library always prefers the order of the server, and takes the names of single suites and knows fewer of them than OpenSSL: no DHE, no CBC with SHA-2, no keywords such as `HIGH` or `!aNULL`. The suites that it knows are used; without any, its own, which are all forward secret and authenticated.\n\nName suites one by one.";
    ForwardedHost = 539, "forwarded-host", Info, "backends see the Host of the request",
        "With `use-forwarded-headers` ingress-nginx sends the first name in `X-Forwarded-Host` to the backend as `Host`. The converted routes leave `Host` as it came and pass `X-Forwarded-Host` on. Redirects from `/dir` to `/dir/` name the scheme in `X-Forwarded-Proto`, where nginx names that of the connection.\n\nNothing to do unless the load balancer changes `Host` and backends build links from it.";
    SessionCookie = 540, "session-cookie", Info, "a session cookie is made otherwise",
        "Sessions stay on one pod, but the cookie holds a key from which Envoy computes the pod, where ingress-nginx stores one from which it computes the pod by another function. So a client that brings a cookie of ingress-nginx may move to another pod once, at the switch; and some sessions move when pods come or go, also with `affinity-mode: persistent`. The attributes are the same but for `Expires`, in whose place `Max-Age` says the same, and their order. `session-cookie-change-on-failure` and `session-cookie-conditional-samesite-none` have no counterpart.\n\nNothing to do unless the application loses work when a session moves.";
    CanarySession = 541, "canary-session", Info, "sessions and canaries are combined otherwise",
        "With `affinity-canary-behavior: sticky` ingress-nginx keeps a client with a session where it was, whatever its canary header says. Envoy decides by header and cookie first; between weights it decides by the session, so that a client stays on one side. With `legacy` ingress-nginx draws anew for each request, and Envoy does not.";
    BodySizeLength = 542, "body-size-length", Info, "the size of a request body is judged by its Content-Length",
        "A request whose `Content-Length` is above the limit is answered with 413, as ingress-nginx does, before anything is redirected or authenticated. A body without a `Content-Length` (chunked, or a stream of HTTP/2) is not limited, where nginx counts while it reads: Envoy could do that only by collecting every body in memory first, which breaks WebSockets and streams. On paths that the host does not define the answer is 404 whatever the size.\n\nIf bodies without a length must be limited, set `requestBuffer.limit` in the BackendTrafficPolicy of routes without streams.";
    BodySizeDefault = 543, "body-size-default", Info, "the default limit for request bodies is not carried over",
        "ingress-nginx answers 413 to request bodies above 1 MiB where neither an annotation nor its ConfigMap says otherwise. The output limits bodies only where somebody wrote a size, because the limit is more often in the way than meant.\n\nWrite `proxy-body-size: 1m`, as an annotation or in the ConfigMap, to have it carried over.";
    RetryCounts = 544, "retry-counts", Info, "a request that was sent is not repeated after a timeout",
        "ingress-nginx repeats a GET whose answer does not come in time, twice, even at the same pod; POST, PATCH and LOCK are not repeated. Envoy ends the request with 504 after the same time, without a repetition, as its limit for one try would also cut long downloads. Connections that do not come about are tried again in both.";
    HeaderSizes = 545, "header-sizes", Info, "larger headers are accepted",
        "nginx answers 400 to a request header above 8 KiB, 414 to a longer request line, and 502 where the headers of a response do not fit into `proxy-buffer-size` (4 KiB by default). Envoy takes up to 60 KiB in each direction and answers 431 above that.";
    BackendConnection = 546, "backend-connection", Warning, "the connection to the backend differs",
        "Envoy speaks HTTP/1.1 to the backend and writes the `Connection` header by itself: HTTP/1.0 is not to be had, and an upgrade (WebSocket) needs `Connection: upgrade`.\n\nNothing to do unless the backend depends on it.";
    HashKey = 547, "hash-key", Info, "requests are spread over pods by another hash",
        "The same key leads to the same pod, but to another one than before, and keys move otherwise when pods come or go. Where the text combines variables of several kinds, only those of one kind are hashed: requests that agreed before still do, but more of them share a pod. Groups of pods (`upstream-hash-by-subset`) become single ones, `ewma` becomes the pod with the fewest requests.";
    HashLost = 548, "hash-lost", Warning, "requests for the same key go to different pods",
        "The key is made of something that Envoy cannot hash, so requests are spread evenly.\n\nHash by `$request_uri`, `$host`, `$remote_addr`, a header, a cookie or a query parameter.";
    UpstreamTls = 549, "upstream-tls", Info, "TLS to the backend is set up otherwise",
        "Envoy always sends a server name: the one of `proxy-ssl-name` or, without it, the host that the client asked for. `proxy-ssl-verify-depth` has no counterpart, a longer chain to the same CA is accepted; ciphers are taken over by name, and lists with keywords such as `HIGH` are left to Envoy, which offers only ciphers with forward secrecy.";
    RetryConditions = 550, "retry-conditions", Info, "some failures are not tried again",
        "Envoy has no counterpart for `invalid_header`, and no limit of time for all tries together that would spare the last one (`proxy-next-upstream-timeout`). With a list of status codes POST and PATCH are kept apart as in nginx; LOCK is not.";
    CompressionSettings = 551, "compression-settings", Info, "the level and the types of compression are Envoy's own",
        "`gzip-level` and `gzip-types` of the controller's ConfigMap, and `gzip_*` directives of a snippet, have no counterpart. Envoy compresses text, JSON, JavaScript, XML and SVG. Backends no longer see the `Accept-Encoding` of a client, so that nothing is compressed twice.";
    IdleTimeout = 552, "idle-timeout", Info, "one timer runs for both directions",
        "nginx has a timer for reading from the backend and one for writing to it. Envoy has one for a stream, which any byte in either direction resets. It gets the value of `proxy-read-timeout`; where only `proxy-send-timeout` was made longer, that. A stream without a byte ends with 504 in both, but a request body that pauses longer than `proxy-read-timeout` is cut too (408), where nginx waits for clients up to 60 seconds.";
    MirrorRequest = 555, "mirror-request", Warning, "a copy of a request keeps path and host",
        "ingress-nginx sends the copy to the path and with the `Host` of `mirror-target`. Envoy copies the request as the backend gets it: with the `Host` of the client, its path (rewritten, if the path is rewritten) and its body.\n\nLet the shadow service accept the original host and path.";
    ReplyPattern = 556, "reply-pattern", Warning, "a rewrite of cookies or redirects is left out",
        "Replacements in `Location`, `Refresh` and `Set-Cookie` are carried over when they are plain texts. This one holds an nginx variable or a regular expression, so answers of the backend reach the client unchanged.\n\nWrite plain texts, or let the application send the right values.";
    RequestIdFormat = 557, "request-id-format", Info, "generated request ids are UUIDs",
        "ingress-nginx gives a request without `X-Request-ID` an id of 32 hexadecimal digits. Envoy makes a UUID, which has dashes. An id that the client sends is passed on by both.\n\nNothing to do unless something parses the ids.";
    AccessLogs = 558, "access-logs", Info, "access logs are a matter of the Gateway",
        "ingress-nginx switches its access log off for single paths. Envoy Gateway logs what its EnvoyProxy object says, for all routes of the Gateway, so these requests are logged too.\n\nSet `telemetry.accessLog` in the EnvoyProxy, with a `matches` expression that leaves the routes out.";
    Tracing = 559, "tracing", Warning, "traces are a matter of the Gateway",
        "The collector and the sampling of traces stand in the EnvoyProxy object (`telemetry.tracing`), and nothing in an Ingress names a collector. Requests are served alike, but not traced until that is set. Envoy always continues the trace of a client.\n\nSet `telemetry.tracing` in the EnvoyProxy. A BackendTrafficPolicy can switch single routes off.";
    FirewallLog = 560, "firewall-log", Warning, "requests are not checked and logged by ModSecurity",
        "ModSecurity only watches here: it writes matches to its log and lets every request through. Envoy Gateway has no ModSecurity, so the log ends. No request is let through that was stopped before.\n\nIf the log matters, run Coraza as an extension of Envoy (EnvoyExtensionPolicy) with the same rules.";
    ErrorPages = 561, "error-pages", Warning, "errors are not answered by the error service",
        "With `custom-http-errors` ingress-nginx hands listed errors to an error service and sends its answer to the client. Here the client gets the error as the backend sent it, or as Envoy made it.\n\nLet the application send its own error pages, or set `responseOverride` in a BackendTrafficPolicy with a fixed body.";
    FallbackBackend = 562, "fallback-backend", Warning, "a Service without endpoints is answered with 503",
        "With `default-backend` ingress-nginx hands requests to another Service when that of the path has no endpoints. Here they are answered with 503.\n\nKeep endpoints running, or point the route to a Backend with `fallback: true` by hand.";
    HeaderVariable = 563, "header-variable", Warning, "a header with an nginx variable is left out",
        "A value of the ConfigMap holds an nginx variable that Envoy has no counterpart for. The header is not set.\n\nWrite a plain text, or set the header in the application.";
    HeaderLeftOut = 564, "header-left-out", Warning, "a header is not set",
        "A rule of Gateway API sets at most 16 headers, and Envoy keeps those that frame a message or name the host for itself. The headers that are named are not set.\n\nSet fewer headers, or set them in the application.";
    GatewaySettings = 565, "gateway-settings", Warning, "settings for all clients and backends are left to the Gateway",
        "With `--gateway` the routes are attached to a Gateway that exists, and none of its policies is written. What ingress-nginx does for every client and backend then depends on that Gateway: timeouts, retries, headers such as `X-Forwarded-For` and `Strict-Transport-Security`, compression, and where the client's address comes from, by which address lists and limits go. It is an error where the controller takes the address from a header or the PROXY protocol: a Gateway that does not would take the load balancer for every client, which an address list may well let in. So paths with an address list answer 503 (GW0640) until you confirm with `--accept GW0565=NS/NAME`, where NS/NAME is that Gateway, that it finds the address where the controller does.\n\nConvert once without `--gateway`, with `--emit infra`, and compare the policies with those of the Gateway.";
    ListenerOfHost = 566, "listener-of-host", Warning, "a connection that was made for one host serves no other",
        "A listener takes 64 certificates and a Gateway 64 listeners. Where that is not enough, every host with a certificate has a listener of its own, in a ListenerSet in the namespace of its certificate. ingress-nginx picks the certificate by the name in the TLS handshake and the host by `Host`, each for itself. With a listener for each host a request whose `Host` is not the name of its handshake gets 404, and so does one of a client that names no host in the handshake.\n\nMake sure that health checks and CDNs in front send the host's name in the handshake (SNI). Browsers reuse an HTTP/2 connection for every host that its certificate names. Hosts whose Secrets have the same name are therefore served over HTTP/1.1, except those with gRPC backends. If Secrets of different names hold certificates for the same hosts, let the hosts share one Secret, or set `alpnProtocols: [http/1.1]` in the ClientTrafficPolicy of their ListenerSet.";
    HeaderOnErrors = 570, "header-on-errors", Info, "a response header stands on error answers, too",
        "`add_header` without `always` adds a header to successful answers and redirects only. Envoy sets response headers whatever the status, so error answers have it as well.\n\nNothing to do unless a client takes the header for a sign of success.";
    ConnectionClosed = 571, "connection-closed", Info, "status 444 is sent instead of closing the connection",
        "`return 444` makes nginx close the connection without an answer. Envoy cannot do that from a rule: it answers with status 444 and an empty body. The request gets no further in either case.";
    HeaderTwice = 572, "header-twice", Info, "a request header is sent once",
        "ingress-nginx sends some request headers itself. A snippet that sets one of them makes nginx send two headers of one name, and it depends on the backend which it reads. The converted route sends the value of the snippet alone.";
    HeaderPath = 573, "header-path", Info, "a path in a header is not decoded",
        "`$uri` holds the decoded path. Envoy puts the path into a header as the client encoded it, so `/a%20b` stays `/a%20b`.\n\nNothing to do unless the backend compares it with a decoded path.";
    ConditionQuery = 574, "condition-query", Info, "a condition on the request URI looks at the path alone",
        "`$request_uri` is the path with the query, as the client sent it. Rules of a Gateway match the normalised path without the query, so a condition written without one also holds for requests with a query.";
    ServiceBalancing = 575, "service-balancing", Warning, "the cluster chooses the pod, not the proxy",
        "For a Service with `backend-protocol` `HTTPS`, `GRPC` or `GRPCS` a `Backend` with the DNS name of the Service is written, because a Service reference says nothing of TLS or HTTP/2. Envoy then sees one address, and kube-proxy chooses a pod for each connection: sessions and hashes do not hold, and the requests of one HTTP/2 connection go to one pod.\n\nThe name assumes the cluster domain `cluster.local`. For gRPC without TLS set `appProtocol: kubernetes.io/h2c` on the port of the Service and give the Service to the run: the route then refers to the Service itself, and Envoy chooses the pod.";
    GatewayCertificate = 576, "gateway-certificate", Warning, "a certificate is left to the Gateway",
        "With `--gateway` the listeners belong to a Gateway that exists already, so the certificate of an Ingress is written nowhere. Until the Gateway has it, clients of the host get another certificate.\n\nAdd the Secret to `tls.certificateRefs` of the HTTPS listener. The ReferenceGrant that lets the Gateway read it from another namespace is in the output.";
    CertificateObjects = 577, "certificate-objects", Info, "certificates are asked for by objects of their own",
        "An Ingress with `cert-manager.io/cluster-issuer` or `cert-manager.io/issuer` makes cert-manager write a Certificate for each entry of `spec.tls`. That Certificate belongs to the Ingress and goes with it; the Secret stays and is renewed by nobody. The same annotation on the Gateway would do nothing: cert-manager passes over listeners without a host name and Secrets in another namespace than the listener's. So a Certificate for the same Secret stands beside the routes, with the issuer, the names and the settings that the Ingress asked for.\n\nAs long as both are there, cert-manager (1.14 and later) leaves the Secret to the one that made it. See that the issuer does not answer challenges through ingress-nginx: it needs a solver for DNS-01, or `http01.gatewayHTTPRoute` with the Gateway in `parentRefs`.";
    CertificateNotAsked = 578, "certificate-not-asked", Warning, "no certificate is asked for",
        "cert-manager makes no certificate for these annotations, or makes one that another Ingress has asked for, or takes the issuer from its own settings (`kubernetes.io/tls-acme`), which are not in the input. The output asks for none either. A Secret that exists is served until its certificate expires.\n\nCorrect the annotation, or write a Certificate by hand.";
    ChallengeByIngress = 579, "challenge-by-ingress", Warning, "an ACME challenge is set up for Ingresses",
        "`acme.cert-manager.io/http01-*` says which Ingress or class answers the HTTP-01 challenge. Behind a Gateway the issuer's solver `http01.gatewayHTTPRoute` does.\n\nChange the solver of the issuer, or solve by DNS-01.";
    SharedAnnotation = 580, "shared-annotation", Warning, "an annotation for DNS records is left to the Gateway",
        "ExternalDNS reads `target` from the Gateway, and then for all its routes. It is written there only when all Ingresses say the same and the Gateway is written, too.\n\nWrite it on the Gateway by hand, or give these routes a Gateway of their own.";
    RecordSources = 581, "record-sources", Info, "ExternalDNS has to read routes",
        "ExternalDNS makes records from the sources it is told to read. Ingresses are one of them, and routes are another.\n\nRun it with `--source=gateway-httproute` (and `gateway-tlsroute` for passed-through TLS, `--gateway-listener-sets` for ListenerSets) before the Ingresses are deleted.";
    NamespaceLabel = 582, "namespace-label", Warning, "namespaces need a label to use the Gateway",
        "With `--allowed-routes KEY=VALUE` the listeners take routes, and the Gateway takes ListenerSets, only from namespaces with that label. Namespaces belong to whoever makes them, so the output does not label them. Routes of others are not attached, and their hosts answer 404.\n\nLabel the namespaces before the hosts move.";
    CookieTwice = 583, "cookie-twice", Info, "of two cookies of one name another may decide",
        "Where a request has several cookies of the name in `canary-by-cookie`, ingress-nginx reads the first. A rule looks for one that says `always`, then for one that says `never`, wherever they stand.\n\nNothing to do unless clients have that cookie for several paths or domains.";
    ConditionScheme = 584, "condition-scheme", Info, "a condition on X-Forwarded-Proto also sees requests without it",
        "Envoy writes the scheme of the connection into `X-Forwarded-Proto` where a request has none, before rules are compared. In nginx such a request has no such header.\n\nNothing to do where the load balancer in front sets the header for every request.";
    NotTranslatedYet = 600, "not-translated-yet", Warning, "an annotation is not translated yet",
        "ingress-nginx acts on this annotation, and this version does not carry it over. What it changes is stated in `gatewright explain KEY`.\n\nSet it by hand in the output where it matters.";
    ProtectionRefused = 601, "protection-refused", Error, "access control is not carried over, so the route answers 503",
        "The annotation limits who may pass, and this version cannot carry it over whole. A route without it would be open, so its paths answer 503 instead.\n\nConvert the Ingress by hand, or accept the refusal until this annotation is supported.";
    RewriteVariable = 602, "rewrite-variable", Error, "a rewrite target holds nginx variables",
        "A rewrite in Envoy sees the path alone, and knows none of nginx's variables. The route answers 503.\n\nWrite the target with captures of the path (`$1` … `$9`) only.";
    RedirectCaptures = 603, "redirect-captures", Error, "a redirect with nginx variables cannot be written",
        "Envoy puts captures of the path together, and has none of nginx's variables. The path answers 503.\n\nWrite the URL with captures (`$1` … `$9`) only.";
    AliasPattern = 604, "alias-pattern", Error, "a server alias cannot be written",
        "Gateway API takes host names with `*` as the whole first label at most; nginx also takes regular expressions and other wildcards. The alias is not served.\n\nList the names one by one.";
    FastCgi = 605, "fastcgi", Error, "FastCGI backends are not supported",
        "Envoy does not speak FastCGI. The path answers 503.\n\nPut a web server that speaks FastCGI (nginx, Apache, Caddy) beside the application and let the Service point to it.";
    ExternalNameRefused = 606, "external-name-refused", Error, "an ExternalName cannot be a backend",
        "Envoy Gateway takes DNS names with at least two labels of letters, digits and dashes. The `externalName` has another form, so that a Backend with it would be refused; the path answers 503.\n\nWrite the whole DNS name into `externalName`.";
    UserHash = 620, "user-hash", Error, "the password hash of a user cannot be carried over",
        "Envoy checks passwords against unsalted SHA-1 hashes (`{SHA}`) only; nginx takes all that crypt(3) takes as well (`$apr1$`, bcrypt, `$6$`, …). A hash cannot be changed into another without the password. The users named are left out: they cannot sign in until they have a new hash. `{PLAIN}` passwords are hashed.\n\nAdd each user to the new Secret with a new hash: `htpasswd -n -s USER`. SHA-1 without salt is weak: prefer an auth service (oauth2-proxy, Authelia) where you can.";
    UsersMissing = 621, "users-missing", Error, "the Secret with the users is missing",
        "Basic authentication needs the Secret that `auth-secret` names. When none of the Secrets of the namespace are in the input, the output refers to a Secret that has to be made; until then the routes answer 503. When others are in the input and this one is not, or it holds no key `auth`, ingress-nginx answers 503, and so does the output.\n\nAdd the Secret to the input, or make the new one: key `.htpasswd`, one `user:{SHA}…` on each line (`htpasswd -n -s USER`).";
    DigestAuth = 622, "digest-auth", Error, "digest authentication is not supported",
        "Envoy has no digest authentication, and the hashes of a digest file cannot be used for another scheme. The paths answer 503.\n\nMove to `auth-type: basic` over HTTPS with `{SHA}` hashes, or to an auth service.";
    AuthOpening = 623, "auth-opening-closed", Error, "paths that ingress-nginx leaves open by mistake are closed",
        "The Ingress asks for authentication, but one of its values makes ingress-nginx leave it out, so that everybody may pass. That can hardly be meant. The output does not repeat it: the paths answer 503.\n\nCorrect the value; or remove the authentication from the Ingress if the paths are meant to be public.";
    AuthUrl = 624, "auth-url", Error, "the auth service cannot be asked",
        "Envoy asks a fixed service with a fixed path, and with the `Host` of the request. A host outside of the cluster might answer 200 to anything for a `Host` it does not know, so it cannot be asked without a risk. A URL that an Ingress of the input serves, also one with `$host`, is asked by way of its Service, unless something of that Ingress could change the answer; other variables cannot be carried over. The paths answer 503.\n\nName the Service that answers there: `http://NAME.NAMESPACE.svc.cluster.local/PATH`. For one outside of the cluster, put a proxy into the cluster that sets `Host`.";
    AuthHeaders = 625, "auth-headers", Error, "headers for the auth service cannot be carried over",
        "Headers of the question are set for a whole listener of the Gateway, with literal values or a few properties of the request. Here the ConfigMap is not in the input, a value holds other nginx variables, or two Ingresses want different values of one header. The auth service might let pass what it should not, so the paths answer 503.\n\nAdd the ConfigMap to the input, use literal values, and the same ones everywhere.";
    AddressListRefused = 640, "address-list-refused", Error, "an address list cannot be carried over, so the route answers 503",
        "Who may come in depends on the client's address. Either a list of the controller's ConfigMap cannot be read, or the address comes from a header that the target would believe from everybody, or with `--gateway` nobody has confirmed that the Gateway finds it where the controller does. Serving would let the wrong ones in, so the paths answer 503.\n\nMend the list, let the load balancer send `X-Forwarded-For`, or see to the Gateway and pass `--accept GW0565=NS/NAME`.";
    LimitRefused = 641, "limit-refused", Error, "a limit cannot be carried over, so the route answers 503",
        "Either requests are counted by something else than the client's address, or the Ingress has more paths, hosts and listeners than the limit has requests, so that it cannot be divided among them. Without the limit the backend would be open, so the paths answer 503.\n\nCount by the address, raise the limit, or split the Ingress.";
    ClientSubjectRefused = 642, "client-subject-refused", Error, "the subject of client certificates cannot be compared",
        "`auth-tls-match-cn` lets in only certificates whose subject matches a pattern. RE2 cannot say this pattern, and without it every certificate of the authority would do, so the host answers 503.\n\nWrite the pattern without lookaround and back-references, or use an authority of its own for these clients.";
    ClientCertificatesRefused = 643, "client-certificates-refused", Error, "client certificates cannot be asked for",
        "Certificates of clients are asked for by a listener of the host. The rules without a host have none, and the listeners of a Gateway that exists already are not written. Over HTTPS the host answers 503.\n\nName the host, or let Gatewright write the Gateway.";
    ClientCertificatesOff = 644, "client-certificates-off", Warning, "a Secret for client certificates has no authority",
        "`auth-tls-secret` names a Secret without `ca.crt`. ingress-nginx then asks no client for a certificate, and says so only in its log. The output does the same.\n\nPut the certificate of the authority into the Secret under `ca.crt`.";
    UpstreamTlsRefused = 660, "upstream-tls-refused", Error, "TLS to the backend cannot be verified as asked",
        "The backend's certificate is to be verified, but what is written cannot succeed in ingress-nginx or cannot be carried over: without `proxy-ssl-name` it checks for the name of an internal upstream, which no certificate has. The paths answer 503 (502 in ingress-nginx) rather than trust a backend that was not to be trusted.\n\nWrite `proxy-ssl-name` with the name in the backend's certificate, or `proxy-ssl-verify: \"off\"`.";
    UpstreamTlsSecret = 661, "upstream-tls-secret", Error, "the Secret for TLS to the backend is not among the input objects",
        "Other Secrets of the namespace are in the input, this one is not. ingress-nginx answers 503 as long as it does not exist, and so does the output.\n\nAdd the Secret to the input, or correct its name.";
    HeaderMapMissing = 670, "header-map-missing", Error, "a ConfigMap of headers is not in the input",
        "The headers to set stand in a ConfigMap that the input does not hold. With `custom-headers` ingress-nginx answers 503 on every path of the Ingress as long as the ConfigMap does not exist, and so does the output; headers for all hosts are left out.\n\nAdd the ConfigMap to the input, or correct its name.";
    MirrorLeftOut = 671, "mirror-left-out", Warning, "requests are not copied",
        "The target names no fixed host, or the copy was to go without the body. Envoy copies requests to a known backend, whole. Nothing is copied, and requests are served as before.\n\nName a target with a host, such as `https://shadow.example.com$request_uri`, and leave `mirror-request-body` on.";
    FirewallBlocks = 672, "firewall-blocks", Error, "ModSecurity stops requests here, so the route answers 503",
        "The rules of this Ingress let ModSecurity stop requests (`SecRuleEngine On`). Envoy Gateway has no ModSecurity, and without it requests that were stopped would reach the backend. The paths answer 503.\n\nRun Coraza as an extension of Envoy (EnvoyExtensionPolicy) with the same rules and convert again without the annotations, or set the engine to `DetectionOnly` if the application can do without.";
    SnippetDirective = 685, "snippet-directive", Warning, "a directive of a snippet is not carried over",
        "The directive has no counterpart in Gateway API or Envoy Gateway, or none that could be derived from it. It lets nobody in and keeps nobody out, so the route is served without it.\n\nThe help names what does the same, if there is something.";
    SnippetProtection = 686, "snippet-protection", Error, "a directive that may protect is not carried over",
        "The directive may be what keeps requests away from the backend: a condition, an authentication, a limit, a script, or one that is not known; or it sends them to another place than the backend of the Ingress. It cannot be carried over whole, so the paths that it stands for answer 503.\n\nReplace the directive by what the help names, or convert the Ingress by hand.";
    SnippetSyntax = 687, "snippet-syntax", Error, "a snippet is not valid nginx configuration",
        "nginx does not load a configuration that holds this text. The controller then applies no change at all and keeps the last configuration that worked. The paths of the snippet answer 503.\n\nMend the snippet.";
    SnippetRequestHeader = 688, "snippet-request-header", Warning, "a request header cannot be set and is removed",
        "The value holds a variable that Envoy does not know, or characters that it does not take. A header that is not set would come from the client unchecked, so it is removed from requests.\n\nLet the backend do without it, or set it in the output by hand.";
    SnippetDuplicate = 689, "snippet-duplicate", Error, "a snippet repeats what the controller writes",
        "The controller's template has this already, and nginx does not load a configuration with it twice. From then on the controller cannot apply any change; it keeps the last configuration that worked. The output is made as if it were not there.\n\nUse the annotation of that name.";
    StreamSnippet = 690, "stream-snippet", Warning, "a stream-snippet is not carried over",
        "The snippet configures TCP or UDP servers of the controller. Nothing of it is HTTP, so no route depends on it.\n\nWrite a TCPRoute or UDPRoute, with a listener of its own on the Gateway.";
    SnippetCondition = 691, "snippet-condition", Error, "a condition of a snippet cannot be written as a rule",
        "Rules of a Gateway match the method, headers and the path by literal texts and RE2 patterns. This condition, or what depends on it, cannot be said that way, so the paths that it stands for answer 503.\n\nSimplify the condition, or let the application decide.";
    SnippetIgnored = 692, "snippet-ignored", Info, "a server-snippet of another Ingress counts",
        "A host has one server-snippet: that of the first Ingress that has one. The controller logs the others and leaves them out.\n\nMove what is still needed into that one.";
    SnippetLocationLost = 693, "snippet-location-unreached", Info, "a location of a snippet is never reached",
        "Some path of this host is a pattern, so all its locations are patterns, and a pattern goes before a plain prefix. The location of the snippet has never served a request.\n\nWrite `^~` or `=` if it is to be served.";
    PathTooLong = 701, "path-too-long", Error, "a path is longer than Gateway API takes",
        "Gateway API limits the value of a path match to 1,024 characters. Without a rule its requests would fall to other rules of the host, which may be open to more people. So all paths that begin as it does answer 503.\n\nShorten the path.";
    TooManyCertificates = 702, "too-many-certificates", Error, "more certificates than a listener takes",
        "A listener takes 64 certificates. With more of them every host gets a listener with its own certificate, in a ListenerSet, and nothing is lost. Two things remain. A host that no `tls` entry of its Ingress names may have any certificate of that Ingress; where those are more than 64 the others are left out. And with `--gateway` the listeners are not written at all.\n\nName the host in the `tls` entry of its certificate. With `--gateway`, divide the certificates among several HTTPS listeners of the Gateway, or let Gatewright write the Gateway.";
    PatternInvalid = 801, "pattern-invalid", Error, "a path is not a valid pattern",
        "The host is in regex mode, and nginx cannot compile this path. ingress-nginx then loads no configuration at all and keeps serving the last good one. All paths that begin as the pattern does, up to its first special character, answer 503, so that none falls to a rule that is open to more people.\n\nMend the pattern.";
    PatternInexpressible = 802, "pattern-inexpressible", Error, "a pattern cannot be said in RE2",
        "nginx matches with PCRE, Envoy with RE2, which has no lookaround, back-references, atomic groups or recursion. Where an equal RE2 pattern exists it is written; this one has none. A request that only it matched would fall to other rules of the host, which may be open to more people. So the paths that it matches without the part that is underlined answer 503; where even that cannot be written, all paths that begin as every match of it does.\n\nWrite the pattern without the construct that is underlined, for example as several paths.";
    UnreadableFile = 901, "unreadable-file", Error, "a file or directory cannot be read",
        "The operating system refused to open or read it; the message says why. Everything else is converted, and the exit code is 2, because nobody knows what the file would have added: ingress-nginx merges Ingresses of all files, so the output may lack routes.\n\nGive yourself the right to read it, name other paths, or leave it out with `--exclude`.";
    NotUtf8 = 902, "not-utf-8", Error, "a document is not UTF-8",
        "The document holds bytes that are not UTF-8, so kubectl could not read it either. It is skipped; all other documents are converted and the exit code is 3.\n\nSave the file as UTF-8. Windows PowerShell writes UTF-16 with `>`; use `Out-File -Encoding utf8` there.";
    NoInputFile = 903, "no-input-file", Warning, "the paths hold no file to read",
        "The directories and globs given hold no `.yaml`, `.yml` or `.json` file. Hidden files and those that .gitignore names are passed over.\n\nName a file itself to have it read whatever it is called.";
    AcceptUnused = 904, "accept-unused", Warning, "an `--accept` matches no finding",
        "No finding has this code and this object. The Ingress may have been mended, the code may be one that is not about an object, or namespace and name may be those of another.\n\nRemove the option, or take code and object from a finding.";
    StaleOutput = 905, "stale-output", Warning, "files of an earlier run are left in the output directory",
        "Files below the output directory begin with the line that `gatewright convert` writes, and this run has nothing to write to them: their Ingresses are gone, were not selected this time, or the layout is another one. They are left as they are, and who applies the whole directory applies them too.\n\nRemove them, or let `gatewright sync` keep the files, which removes what is no longer needed.";
    ConfigSyntax = 910, "config-syntax", Error, "gatewright.toml is not valid TOML",
        "The configuration cannot be read, and nothing is done: what it says may change what is written.\n\nMend the file at the place shown, or pass `--no-config` to do without it.";
    ConfigKey = 911, "config-key", Error, "gatewright.toml holds a key that does not exist",
        "A key that nothing reads is a setting that does not hold. Nothing is done.\n\nCorrect the spelling or remove the key; docs/configuration.md lists all of them.";
    ConfigValue = 912, "config-value", Error, "gatewright.toml holds a value that cannot be used",
        "The value has the wrong type or is none of those that the key takes. Nothing is done.\n\nCorrect the value; `help` at the finding says what is taken.";
    ConfigProtected = 913, "config-protected", Error, "gatewright.toml hides a finding that must be seen",
        "Findings about refused access control may be lowered to warnings and no further, and none of them is suppressed: a path that answers 503 because its protection could not be carried over shall not surprise anyone. Findings about input that could not be read stay errors.\n\nAccept a refusal for one object with `[[accept]]`, which keeps it in the report as an info. Leave files out with `exclude`.";
    ExceptionExpired = 914, "exception-expired", Warning, "an exception has expired",
        "The day in `expires` has passed, so the entry of `[[suppress]]` or `[[accept]]` no longer holds. The last day counts, in UTC; `SOURCE_DATE_EPOCH` sets another clock.\n\nLook at what it hid, then remove the entry or set a new day.";
    ExceptionUnused = 915, "exception-unused", Info, "an exception matches nothing",
        "No finding of this run matches the entry of `[[suppress]]` or `[[accept]]`. That is so in a run over part of the files too.\n\nRemove the entry if it matches nothing in a run over all files.";
    AnnotationAlias = 920, "annotation-alias", Info, "an annotation is read as another one",
        "`[aliases]` of gatewright.toml says which annotation was meant by a key that ingress-nginx does not know. The output does what the author meant, which the cluster has never done: ingress-nginx ignores the key.\n\nRename the key in the manifest, or remove the alias.";
    SyncForeign = 930, "sync-foreign-file", Error, "an output of sync is a file that it did not write",
        "`gatewright sync` replaces and removes only files that begin with the line which it writes itself. Another file stands where an output belongs. Nothing is written.\n\nMove the file away or delete it, or choose another `to`. Documents that are written by hand belong into a file of their own.";
    SyncTarget = 931, "sync-target", Error, "an output of sync has no place",
        "Two mappings write the same file, or `to` asks for the name of a directory that an input file does not have. Nothing is written.\n\nChange `to` or `from` of the mapping.";
    SyncUnread = 932, "sync-unread", Error, "outputs of sync are left as they are",
        "Some input of the mapping could not be read, or none was found. What is missing would vanish from the outputs, so they are left as they are.\n\nMend the input; the other findings say where.";
    ReadBack = 940, "read-back", Error, "an object cannot be read back",
        "`gatewright verify` reads the objects from their text, with code of its own, and understood this one not or not whole. What it says of hosts may lack its rules or policies. The exit code is 3.\n\nCompare the object with what `gatewright convert` writes; a kind or field that Envoy Gateway knows and Gatewright does not cannot be verified.";
    RouteStray = 941, "route-stray", Warning, "no listener takes a route",
        "None of the listeners that the route names exists, speaks its protocol, is open to its namespace and has a host name in common with it. Envoy Gateway refuses the route, and nothing of it is served.\n\nCorrect `parentRefs` or `hostnames`, or give the Gateway to `--against` as well.";
    VerifyOpen = 942, "verify-more-open", Error, "a request gets more than ingress-nginx gives it",
        "There is a request that ingress-nginx refuses, redirects or asks for something, and that the objects let through, or let through for less: a password, an address list, a limit or a certificate does not stand before the backend as it did. The finding has the shortest such request.\n\nDo not apply the objects before this is mended. If they are the output of `gatewright convert`, it is a bug: please report it with the input.";
    VerifyDiffers = 943, "verify-differs", Error, "a request is answered differently",
        "There is a request that ingress-nginx and the objects answer in different ways: from another backend, with another path, redirect or status. The finding has the shortest such request. It is an info when a finding of the conversion has announced the difference.\n\nMend the objects, or accept what differs. If they are the output of `gatewright convert` and nothing announced it, it is a bug: please report it with the input.";
    VerifyStricter = 944, "verify-stricter", Error, "a request is refused that ingress-nginx serves",
        "There is a request that ingress-nginx serves and the objects refuse or ask for more. The finding has the shortest such request. It is an info when a finding of the conversion has announced it: what cannot be carried over answers 503.\n\nMend the objects, or look at the finding that announced it.";
    VerifyUndecided = 945, "verify-not-decided", Error, "equivalence was not decided",
        "The patterns and conditions of the host are too many to look at every combination, or one of them cannot be looked at. Requests were tried by sample and no difference was found among them, which proves nothing.\n\nDivide the host, or simplify the patterns that the finding names.";
    ClusterConfig = 950, "cluster-config", Error, "the cluster cannot be chosen",
        "`--cluster` finds the cluster as kubectl does: the files of `KUBECONFIG`, `~/.kube/config`, or, where neither is there, the service account of the pod that it runs in. `--context` names a context of the kubeconfig. Here one of these is missing, cannot be read, or leads nowhere.\n\nNothing was read. `kubectl config get-contexts` lists the contexts; `KUBECONFIG` names other files.";
    ClusterLogin = 951, "cluster-login", Error, "the login to the cluster failed",
        "The kubeconfig says how to log in: by a token, a certificate, or a program that prints one (`exec`). The program could not be started, failed, or printed no credentials; or the API server answered 401 to what it got.\n\nNothing was read. Log in as you do for kubectl; `kubectl auth whoami` tells whether that worked. What a login program prints is never shown, as it may be a token.";
    ClusterUnreachable = 952, "cluster-unreachable", Error, "the API server cannot be reached",
        "No connection to the API server, a certificate that the kubeconfig's authority did not sign, or no answer in time.\n\nSee whether kubectl reaches it. A proxy is taken from `proxy-url` of the kubeconfig or from `HTTPS_PROXY`, unless `NO_PROXY` names the host. `--request-timeout` waits longer for each answer.";
    ClusterForbidden = 953, "cluster-forbidden", Error, "something in the cluster may not be read",
        "The API server does not let you read what a conversion needs; the message names the verb, the resource and the namespace.\n\nWithout Ingresses, or without the controller's ConfigMap and flags, nothing is converted: a setting that protects every host might stand in them. A Secret or ConfigMap that may not be read is treated as one that nobody has looked for, never as one that does not exist, and what depends on it stays closed. The exit code is 2.\n\nHave the ClusterRole of `docs/cluster-role.yaml` bound to you; it can only read. Where you may read one namespace only, name it with `--namespace`, the controller's ConfigMap with `--controller-config`, and its flags on the command line.";
    ClusterAnswer = 954, "cluster-answer", Error, "the API server gives an answer that cannot be used",
        "It answers with a status that is no refusal, such as 500, or with something that is not an object: perhaps the page of a proxy that asks for a login.\n\nTry again, and see what kubectl says.";
    ControllerNotFound = 955, "controller-not-found", Warning, "no controller was found in the cluster",
        "No Deployment and no DaemonSet of the cluster runs ingress-nginx, so its flags are taken to be the default ones and its ConfigMap to be `ingress-nginx/ingress-nginx-controller`, if that exists.\n\nIf the controller runs in another way, name its ConfigMap with `--controller-config` and its flags with `--ingress-class`, `--annotations-prefix`, `--default-ssl-certificate` and `--enable-ssl-passthrough`.";
    ControllersSeveral = 956, "controllers-several", Error, "several controllers run in the cluster",
        "Each has flags and a ConfigMap of its own, so the same Ingress means something else to each of them. Nothing is converted.\n\nName the one that is meant by its ConfigMap (`--controller-config NAMESPACE/NAME`) or by the class that it serves (`--ingress-class NAME`), and convert for each of them.";
    ClusterKinds = 957, "cluster-kinds", Info, "the cluster does not have all kinds that are compared",
        "The CRDs of Gateway API or of Envoy Gateway are not installed, or of another channel or release. There can be no object of such a kind, and that is what the output is compared with.\n\nInstall them before you apply the output; the closing summary says which releases it is written for.";
}

impl Code {
    /// The row of the table.
    pub fn info(self) -> &'static CodeInfo {
        let at = CODES
            .binary_search_by_key(&(self as u16), |(_, info)| info.number)
            .unwrap_or(0);
        &CODES[at].1
    }

    /// The least severity that a configuration may give its findings. Refused access control
    /// stays a warning at least, and input that could not be read stays an error.
    pub fn floor(self) -> Severity {
        let info = self.info();
        match self {
            Self::Syntax
            | Self::HelmTemplate
            | Self::YamlLimit
            | Self::UnreadableFile
            | Self::NotUtf8 => Severity::Error,
            // What is wrong with the configuration itself.
            _ if (910..=913).contains(&info.number) || info.number / 10 == 93 => Severity::Error,
            // What could not be read in a cluster.
            _ if info.number / 10 == 95 && info.severity == Severity::Error => Severity::Error,
            // Who verifies wants to hear it.
            Self::ReadBack | Self::VerifyOpen => Severity::Error,
            Self::AnnotationDeniesIngress | Self::AuthSwitchedOff => Severity::Warning,
            // The range of refusals.
            _ if info.number / 100 == 6 && info.severity == Severity::Error => Severity::Warning,
            _ => Severity::Info,
        }
    }

    /// Finds `GW0123`, `gw0123`, `0123`, `123` or the name in words.
    pub fn find(text: &str) -> Option<Self> {
        let upper = text.to_ascii_uppercase();
        let number = upper.strip_prefix("GW").unwrap_or(&upper).parse::<u16>();
        CODES
            .iter()
            .find(|(_, info)| number.as_ref() == Ok(&info.number) || info.name == text)
            .map(|&(code, _)| code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GW{:04}", *self as u16)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_and_names_are_unique() {
        assert!(CODES.windows(2).all(|w| w[0].1.number < w[1].1.number));
        let mut names: Vec<_> = CODES.iter().map(|(_, info)| info.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CODES.len());
    }

    #[test]
    fn refusals_of_access_control_cannot_be_lowered_away() {
        assert_eq!(Code::ProtectionRefused.floor(), Severity::Warning);
        assert_eq!(Code::AuthUrl.floor(), Severity::Warning);
        assert_eq!(Code::Syntax.floor(), Severity::Error);
        assert_eq!(Code::UnknownAnnotation.floor(), Severity::Info);
        assert!(
            CODES
                .iter()
                .all(|(code, info)| code.floor() <= info.severity)
        );
    }

    #[test]
    fn codes_are_found_by_number_and_name() {
        for text in ["GW0102", "gw0102", "0102", "102", "helm-template"] {
            assert_eq!(Code::find(text), Some(Code::HelmTemplate), "{text}");
        }
        assert_eq!(Code::find("GW9999"), None);
    }
}
