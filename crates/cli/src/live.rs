//! `--cluster`: what a conversion reads, from a cluster.

use gatewright_transpile::{Input, Options};

use crate::read::ReadFault;

#[cfg(feature = "cluster")]
pub(crate) use with::Session;
#[cfg(not(feature = "cluster"))]
pub(crate) use without::Session;

/// What was read, and how it is to be converted.
pub(crate) struct Gathered {
    pub(crate) inputs: Vec<Input>,
    pub(crate) faults: Vec<ReadFault>,
    /// With what is known of objects that are not there.
    pub(crate) options: Options,
}

#[cfg(feature = "cluster")]
mod with;

/// A build that reads files only.
#[cfg(not(feature = "cluster"))]
mod without {
    use gatewright_transpile::{Conversion, Options};

    use super::{Gathered, Input, ReadFault};
    use crate::args::LiveArgs;
    use crate::config::Failure;
    use crate::exit::Fault;

    pub(crate) enum Session {}

    impl Session {
        pub(crate) fn open(_: &LiveArgs, _: bool, _: Option<String>) -> Result<Self, Failure> {
            Err(Fault::new("this program was built without `--cluster`")
                .help("build it with the feature `cluster`, or give it what `kubectl get -o yaml` prints")
                .into())
        }

        pub(crate) fn namespace(&self) -> Option<String> {
            match *self {}
        }

        pub(crate) fn survey(&mut self) {
            match *self {}
        }

        pub(crate) fn left(&self, _: &Options) -> Result<Gathered, Failure> {
            match *self {}
        }

        pub(crate) fn right(
            &self,
            _: &Options,
            _: Option<&Conversion>,
        ) -> Result<(Vec<Input>, Vec<ReadFault>), Failure> {
            match *self {}
        }
    }
}
