//! What the typesetter can see: the template, one document, and the fonts that come with it. There are no files, no packages, no
//! clock and no network.

use std::sync::LazyLock;

use typst::{
    Library, LibraryExt, World,
    diag::{FileError, FileResult},
    foundations::{Bytes, Datetime, Duration},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};

use crate::Error;

const TEMPLATE: &str = include_str!("report.typ");
/// The fonts that documents are set in, as they are. Typst's own collection holds some that are not free to be shipped with us.
pub(crate) static FONTS_HELD: [&[u8]; 5] = [
    include_bytes!("../fonts/libertinus/LibertinusSerif-Regular.otf"),
    include_bytes!("../fonts/libertinus/LibertinusSerif-Italic.otf"),
    include_bytes!("../fonts/libertinus/LibertinusSerif-Semibold.otf"),
    include_bytes!("../fonts/libertinus/LibertinusSerif-Bold.otf"),
    include_bytes!("../fonts/dejavu/DejaVuSansMono.ttf"),
];

/// The fonts, read once.
pub(crate) struct Fonts {
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
}

static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
    let fonts: Vec<Font> =
        FONTS_HELD.into_iter().flat_map(|data| Font::iter(Bytes::new(data))).collect();
    Fonts { book: LazyHash::new(FontBook::from_fonts(&fonts)), fonts }
});

pub(crate) fn fonts() -> &'static Fonts {
    &FONTS
}

impl Fonts {
    /// Whether one of them has this character.
    pub(crate) fn cover(&self, letter: char) -> bool {
        self.covering(letter).next().is_some()
    }

    /// The places of those that have this character.
    pub(crate) fn covering(&self, letter: char) -> impl Iterator<Item = usize> {
        let letter = u32::from(letter);
        let all = self.fonts.iter().enumerate();
        all.filter(move |(_, font)| font.info().coverage.contains(letter)).map(|(place, _)| place)
    }
}

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));

/// The world of one document.
pub(crate) struct Desk {
    template: Source,
    data: (FileId, Bytes),
}

impl Desk {
    /// With `data` as the file that the template reads.
    pub(crate) fn new(data: Vec<u8>) -> Result<Self, Error> {
        Ok(Self {
            template: Source::new(file_id("report.typ")?, TEMPLATE.to_owned()),
            data: (file_id("report.json")?, Bytes::new(data)),
        })
    }
}

fn file_id(name: &str) -> Result<FileId, Error> {
    let path = VirtualPath::new(name).map_err(|error| Error::Typesetter(format!("{error:?}")))?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

impl World for Desk {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &fonts().book
    }

    fn main(&self) -> FileId {
        self.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.template.id() {
            Ok(self.template.clone())
        } else {
            Err(FileError::AccessDenied)
        }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == self.data.0 { Ok(self.data.1.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        fonts().fonts.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fonts_are_those_of_the_typesetter_unchanged() {
        let all: Vec<&[u8]> = typst_assets::fonts().collect();
        assert!(FONTS_HELD.iter().all(|held| all.contains(held)));
        assert_eq!(fonts().fonts.len(), FONTS_HELD.len());
    }
}
