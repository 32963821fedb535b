//! Lists that states share until one of them changes its own.
//!
//! A state is copied for each edge, and most edges add nothing to most lists.
//! Whatever would leave a list as it is leaves it shared. Most are short, and then
//! their elements lie with the count of their owners.

use std::ops::Deref;
use std::rc::Rc;

use smallvec::SmallVec;

/// So many elements lie with the count.
const INLINE: usize = 8;

type List<T> = SmallVec<[T; INLINE]>;

/// A list; to copy it costs nothing.
#[derive(Clone, Debug)]
pub(crate) struct Shared<T>(Option<Rc<List<T>>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Deref for Shared<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        self.0.as_ref().map_or(&[], |list| list.as_slice())
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || **self == **other
    }
}

impl<T: Eq> Eq for Shared<T> {}

impl<T> Shared<T> {
    /// Are they one list in memory?
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => Rc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        }
    }

    /// Nothing is left.
    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }
}

impl<T: Copy + PartialEq> Shared<T> {
    /// The list, as this state's own.
    pub(crate) fn own(&mut self) -> &mut List<T> {
        Rc::make_mut(self.0.get_or_insert_default())
    }

    /// Appends an element.
    pub(crate) fn push(&mut self, element: T) {
        self.insert(self.len(), element);
    }

    /// Puts an element in front of another.
    pub(crate) fn insert(&mut self, at: usize, element: T) {
        if let Some(list) = self.0.as_mut().and_then(Rc::get_mut) {
            list.insert(at, element);
            return;
        }
        // where one is added, others follow
        let mut list = match self.len() {
            0..INLINE => List::from_slice(self),
            len => {
                let mut list = List::with_capacity(len + 4);
                list.extend_from_slice(self);
                list
            }
        };
        list.insert(at, element);
        self.0 = Some(Rc::new(list));
    }

    /// Keeps some elements.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let Some(at) = self.iter().position(|x| !keep(x)) else { return };
        match self.0.as_mut().and_then(Rc::get_mut) {
            Some(list) => {
                let mut kept = at;
                for i in at + 1..list.len() {
                    if keep(&list[i]) {
                        list[kept] = list[i];
                        kept += 1;
                    }
                }
                list.truncate(kept);
            }
            None => {
                let mut list = List::from_slice(&self[..at]);
                list.extend(self[at + 1..].iter().filter(|x| keep(x)).copied());
                self.0 = (!list.is_empty()).then(|| Rc::new(list));
            }
        }
    }

    /// Replaces each element, or takes it out.
    pub(crate) fn revise(&mut self, mut f: impl FnMut(&T) -> Option<T>) {
        let first = self.iter().enumerate().find_map(|(i, x)| {
            let new = f(x);
            (new != Some(*x)).then_some((i, new))
        });
        let Some((at, new)) = first else { return };
        let mut list = List::from_slice(&self[..at]);
        list.extend(new);
        list.extend(self[at + 1..].iter().filter_map(f));
        self.0 = Some(Rc::new(list));
    }
}
