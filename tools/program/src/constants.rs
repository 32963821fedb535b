//! A program's data, as the verifier of the protocol looks at it.

use clif_cont_verifier::{Module, Word};

use crate::{Data, DataItem, Program};

impl Program {
    /// What `clif_cont_verifier::verify_in` wants to know of the data.
    pub fn constants(&self) -> Module {
        let mut module = Module::default();
        let word = self.target.abi.width.bytes().into();
        for data in &self.data {
            if data.writable {
                module.add_writable(&data.name);
            } else {
                module.add_constant(&data.name, words(data, word));
            }
        }
        module
    }
}

fn words(data: &Data, word: u64) -> Vec<Word> {
    let mut words = vec![Word::Zero; (data.size / word) as usize];
    for (at, item) in &data.items {
        let (kind, bytes) = match item {
            DataItem::Symbol(_) => (Word::Address, word),
            DataItem::Word(0) => (Word::Zero, word),
            DataItem::Word(_) => (Word::Other, word),
            DataItem::Bytes(bytes) => (Word::Other, bytes.len() as u64),
        };
        for covered in at / word..(at + bytes).div_ceil(word) {
            if let Some(w) = words.get_mut(covered as usize) {
                *w = if at % word == 0 { kind } else { Word::Other };
            }
        }
    }
    words
}
