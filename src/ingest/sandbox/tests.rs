//! Reading with a program that is no reader: what it answers is never believed and never harms.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::ingest::Payload;
use crate::ingest::items::Content;
use crate::ingest::{Item, items};

/// A program that does this instead of reading.
fn program(script: &str) -> (tempfile::TempDir, Sandbox) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reader");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let sandbox = Sandbox::Apart(Program { path, allowance: Allowance::default() });
    (folder, sandbox)
}

fn reading<'a>(sandbox: &'a Sandbox, limits: &'a Limits) -> Reading<'a> {
    Reading { sandbox, limits, stop: &|| false }
}

#[test]
fn a_program_that_cannot_be_started_is_a_sentence() {
    let limits = Limits::default();
    let nowhere = Program { path: "/no/such/program".into(), allowance: Allowance::default() };
    let (_folder, garbage) = program("head -c 100000 /dev/urandom");
    let (_folder, silent) = program("exit 0");
    let (_folder, loud) = program("echo why >&2; exit 3");
    for sandbox in [Sandbox::Apart(nowhere), garbage, silent, loud] {
        let mut reader = Reader::new(reading(&sandbox, &limits));
        let error = reader.read("a.md", &Payload::File("# A".into()), None).unwrap_err();
        assert!(matches!(error, ExtractError::NoReader(_)), "{error:?}");
        assert!(sandbox.probe().is_err());
        let mut said = Vec::new();
        let item = Item::upload("a.zip", &b"PK\x03\x04"[..]);
        let each: &mut items::Each = &mut |one| {
            said.push(one.unwrap_err().to_string());
            true
        };
        let ended = apart(reading(&sandbox, &limits), item, Content::Bytes("PK\x03\x04".into()), each);
        assert_eq!(ended, items::Ended::Cut);
        assert!(said.len() == 1 && said[0].contains("no process can be started"), "{said:?}");
    }
}

#[test]
fn work_that_is_no_longer_wanted_ends_soon() {
    let limits = Limits::default();
    let (_folder, sleeper) = program("exec sleep 600");
    let began = Instant::now();
    let stop = || began.elapsed() > Duration::from_millis(200);
    let reading = Reading { sandbox: &sleeper, limits: &limits, stop: &stop };
    let ended = Reader::new(reading).read("a.md", &Payload::File("# A".into()), None);
    assert_eq!(ended.unwrap_err(), ExtractError::Stopped);
    assert!(began.elapsed() < Duration::from_secs(10));
}
