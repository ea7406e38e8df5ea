//! The sound of what cannot be decoded here, from `ffmpeg` where the creator has it: a path in, samples out of a pipe.
//!
//! It is told to read local files of known containers only: a file that is really a playlist must not make it fetch
//! addresses or read other files. It is killed when the sound is not wanted any more.

use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::{ExtractError, RATE};

/// Containers that hold one recording and name no other file.
const CONTAINERS: &str = "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,avi,caf,dts,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,\
mp2,mp3,mpeg,mpegts,mpegvideo,ogg,rm,tta,w64,wav,wv,xwma";

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
        let mut command = quiet("ffmpeg", path);
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
        Ok((Self { child, pipe, any: false, ended: false }, length_ms(path)))
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

/// `ffmpeg` or `ffprobe` on one local file, without a terminal and without a word.
fn quiet(program: &str, path: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["-v", "quiet", "-protocol_whitelist", "file,pipe", "-format_whitelist", CONTAINERS]);
    if program == "ffmpeg" {
        command.arg("-nostdin");
    }
    // `file:` keeps a path from being taken for an option or an address.
    let mut input = std::ffi::OsString::from("file:");
    input.push(path);
    command.arg("-i").arg(input);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn length_ms(path: &Path) -> Option<u64> {
    let mut command = quiet("ffprobe", path);
    let output = command.args(["-show_entries", "format=duration", "-of", "csv=p=0"]).output().ok()?;
    let seconds: f64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then_some((seconds * 1000.0) as u64)
}
