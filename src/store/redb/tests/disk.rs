//! A disk in memory that remembers every write and sync, can lose what was not synced, and can be full.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use ::redb::{Database, StorageBackend};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::super::{Home, Store};
use super::{Blobs, Options};

/// What happened to the disk.
#[derive(Debug, Clone)]
pub enum Event {
    Length(u64),
    Write(u64, Vec<u8>),
    Sync,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    events: Vec<Event>,
    /// Most bytes that fit; `None` is no limit.
    room: Option<u64>,
}

/// Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct Disk(Arc<Mutex<State>>);

impl Disk {
    pub fn with(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State { bytes, ..State::default() })))
    }

    /// Opens a store on this disk, now and after each failure.
    pub fn open(&self) -> Result<Store, super::StoreError> {
        let disk = self.clone();
        let open = move || Database::builder().create_with_backend(disk.clone());
        Store::start(Home::Test(Box::new(open)), Blobs::temporary()?, Options::default())
    }

    pub fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    pub fn len_now(&self) -> u64 {
        self.state().bytes.len() as u64
    }

    pub fn set_room(&self, room: Option<u64>) {
        self.state().room = room;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

/// How the power takes what was not synced.
#[derive(Debug, Clone, Copy)]
pub enum Loss {
    /// All of it is gone.
    Dropped,
    /// Some writes are there, in any order.
    Reordered,
    /// Some sectors of some writes are there.
    Torn,
}

/// What a disk holds after the power failed between the sync that ends `synced` and the next one.
pub fn after_power_loss(synced: &[Event], unsynced: &[Event], loss: Loss, seed: u64) -> Vec<u8> {
    const SECTOR: usize = 512;
    let mut bytes = Vec::new();
    synced.iter().for_each(|event| apply(&mut bytes, event));
    let mut rng = StdRng::seed_from_u64(seed);
    let mut rest = unsynced.to_vec();
    match loss {
        Loss::Dropped => rest.clear(),
        Loss::Reordered => {
            rest.retain(|_| rng.random_bool(0.5));
            rest.shuffle(&mut rng);
        }
        Loss::Torn => {
            for event in &mut rest {
                if let Event::Write(_, data) = event {
                    let sectors = data.len().div_ceil(SECTOR);
                    data.truncate(rng.random_range(0..=sectors) * SECTOR);
                }
            }
        }
    }
    rest.iter().for_each(|event| apply(&mut bytes, event));
    bytes
}

fn apply(bytes: &mut Vec<u8>, event: &Event) {
    match event {
        Event::Length(len) => bytes.resize(*len as usize, 0),
        Event::Write(offset, data) => {
            let start = *offset as usize;
            if bytes.len() < start + data.len() {
                bytes.resize(start + data.len(), 0);
            }
            bytes[start..start + data.len()].copy_from_slice(data);
        }
        Event::Sync => {}
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.len_now())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let state = self.state();
        let start = offset as usize;
        let bytes = state.bytes.get(start..start + out.len());
        out.copy_from_slice(bytes.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let mut state = self.state();
        if state.room.is_some_and(|room| len > room) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.bytes.resize(len as usize, 0);
        state.events.push(Event::Length(len));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.state().events.push(Event::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let mut state = self.state();
        let event = Event::Write(offset, data.to_vec());
        apply(&mut state.bytes, &event);
        state.events.push(event);
        Ok(())
    }
}
