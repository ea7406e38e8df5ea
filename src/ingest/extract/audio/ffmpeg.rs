//! The sound of what cannot be decoded here, from `ffmpeg` where the creator has it: a path in, samples out of a pipe.
//!
//! It is told to read local files of known containers only: a file that is really a playlist must not make it fetch
//! addresses or read other files. Where the system can fence a program in, it could not: it reads its own libraries and this
//! one recording, writes nothing and speaks to nobody. Its memory and its computing are limited, and it is killed when the
//! sound is not wanted any more.

use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use super::{ExtractError, RATE};
use crate::ingest::sandbox::{Fence, Helper as Program};

/// Containers that hold one recording and name no other file.
const CONTAINERS: &str = "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,avi,caf,dts,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,\
mp2,mp3,mpeg,mpegts,mpegvideo,ogg,rm,tta,w64,wav,wv,xwma";

/// Bytes of memory of each program: they map many libraries, and hold a few packets.
const MEMORY: u64 = 3 << 30;
/// Seconds of computing for any recording, and for each of its megabytes besides: ten times what the slowest codec takes on
/// one slow core, as a megabyte of the densest speech codec (AMR at 4.75 kbit/s) is half an hour.
const CPU_SECONDS: u64 = 120;
const CPU_SECONDS_A_MEGABYTE: u64 = 40;

/// Samples in a block.
const BLOCK: usize = 8_192;

/// A running `ffmpeg`.
pub struct Helper {
    child: Child,
    pipe: BufReader<ChildStdout>,
    any: bool,
    ended: bool,
}

impl Helper {
    /// Starts it on a file; `codec` says what could not be read without it. Also gives the length, where `ffprobe` has it.
    pub fn start(path: &Path, codec: String) -> Result<(Self, Option<u64>), ExtractError> {
        // The program starts elsewhere, and the fence wants to know the file itself.
        let path = &path.canonicalize().map_err(|_| ExtractError::Damaged("recording"))?;
        let Ok(fence) = fence(path) else { return Err(ExtractError::UnknownSound(codec)) };
        let mut command = quiet("ffmpeg", path, fence.as_ref());
        let rate = RATE.to_string();
        command
            .args(["-map", "0:a:0", "-vn", "-sn", "-dn", "-ac", "1", "-ar", &rate, "-f", "f32le", "pipe:1"]);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                tracing::debug!(%error, "ffmpeg cannot be started");
                return Err(ExtractError::UnknownSound(codec));
            }
        };
        let Some(pipe) = child.stdout.take() else { return Err(ExtractError::UnknownSound(codec)) };
        let pipe = BufReader::with_capacity(BLOCK * 4, pipe);
        Ok((Self { child, pipe, any: false, ended: false }, length_ms(path, fence.as_ref())))
    }

    /// The next samples; `None` at the end.
    pub fn next_block(&mut self) -> Result<Option<Vec<f32>>, ExtractError> {
        if self.ended {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(BLOCK * 4);
        let read = self.pipe.by_ref().take(BLOCK as u64 * 4).read_to_end(&mut bytes);
        read.map_err(|_| ExtractError::Damaged("recording"))?;
        let samples: Vec<f32> = bytes
            .chunks_exact(4)
            .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
            .map(|sample| if sample.is_finite() { sample.clamp(-4.0, 4.0) } else { 0.0 })
            .collect();
        if !samples.is_empty() {
            self.any = true;
            return Ok(Some(samples));
        }
        self.ended = true;
        let status = self.child.wait().map_err(|_| ExtractError::Damaged("recording"))?;
        if self.any {
            return Ok(None);
        }
        // It ran and gave nothing: there is no sound, or it could not read it either.
        Err(if status.success() { ExtractError::NoSound } else { ExtractError::Damaged("recording") })
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// They are not there, or do not run.
struct Absent;

/// A fence around both programs and this file; `None` where they do not run within one.
fn fence(path: &Path) -> Result<Option<Arc<Fence>>, Absent> {
    let runs = |fence: Option<&Arc<Fence>>| {
        let mut command = program("ffmpeg").command(fence, CPU_SECONDS);
        command.arg("-version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let mut files = program("ffmpeg").files();
    files.extend(program("ffprobe").files());
    files.push(path.to_owned());
    let fence = Arc::new(Fence::around(&files));
    for lacking in &fence.confinement().lacking {
        tracing::debug!(lacking, "ffmpeg is not wholly fenced in");
    }
    if runs(Some(&fence)) {
        return Ok(Some(fence));
    }
    // One that needs more than its own files, as programs from a snap do, still has its limits.
    if !runs(None) {
        return Err(Absent);
    }
    tracing::warn!(
        "this `ffmpeg` does not run without reading other files; its access to files is not limited"
    );
    Ok(None)
}

fn program(name: &'static str) -> Program {
    Program { name, variables: &["LD_LIBRARY_PATH"], memory: MEMORY }
}

/// `ffmpeg` or `ffprobe` on one local file, without a terminal and without a word.
fn quiet(name: &'static str, path: &Path, fence: Option<&Arc<Fence>>) -> Command {
    let megabytes = std::fs::metadata(path).map_or(0, |file| file.len() >> 20);
    let seconds = CPU_SECONDS.saturating_add(megabytes.saturating_mul(CPU_SECONDS_A_MEGABYTE));
    let mut command = program(name).command(fence, seconds);
    command.args(["-v", "quiet", "-protocol_whitelist", "file,pipe", "-format_whitelist", CONTAINERS]);
    if name == "ffmpeg" {
        command.arg("-nostdin");
    }
    // `file:` keeps a path from being taken for an option or an address.
    let mut input = std::ffi::OsString::from("file:");
    input.push(path);
    command.arg("-i").arg(input);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn length_ms(path: &Path, fence: Option<&Arc<Fence>>) -> Option<u64> {
    let mut command = quiet("ffprobe", path, fence);
    let output = command.args(["-show_entries", "format=duration", "-of", "csv=p=0"]).output().ok()?;
    let seconds: f64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then_some((seconds * 1000.0) as u64)
}
