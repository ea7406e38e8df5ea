//! The chunks that hold one term, in ascending order of slots, five bytes each.

/// Slots and the weighted frequency of the term in each, in halves.
#[derive(Debug)]
pub(super) struct Postings {
    is_everyday: bool,
    slots: Vec<u32>,
    frequencies: Vec<u8>,
}

impl Postings {
    pub fn new(is_everyday: bool) -> Self {
        Self { is_everyday, slots: Vec::new(), frequencies: Vec::new() }
    }

    /// Whether the term is an [everyday word](crate::index::analyze::is_everyday).
    pub fn is_everyday(&self) -> bool {
        self.is_everyday
    }

    /// Appends a slot; slots only grow, so order is kept.
    pub fn push(&mut self, slot: u32, half_frequency: u8) {
        self.slots.push(slot);
        self.frequencies.push(half_frequency);
    }

    pub fn remove(&mut self, slot: u32) {
        if let Ok(place) = self.slots.binary_search(&slot) {
            self.slots.remove(place);
            self.frequencies.remove(place);
        }
    }

    /// Number of chunks that hold the term.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Slots with the term's weighted frequency.
    pub fn iter(&self) -> impl Iterator<Item = (u32, f32)> {
        self.slots.iter().zip(&self.frequencies).map(|(&slot, &half)| (slot, f32::from(half) / 2.0))
    }

    pub fn shrink(&mut self) {
        self.slots.shrink_to_fit();
        self.frequencies.shrink_to_fit();
    }
}
