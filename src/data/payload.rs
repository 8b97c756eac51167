//! The payload of a file: its bytes, decompressed where they are gzip. Which it is, is told by content, not by name.

use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::error::DataError;
use crate::files::FileError;

/// The first two bytes of every gzip member (RFC 1952, section 2.3.1). No IDX or MATLAB file begins so.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

type Raw = Chain<Cursor<Vec<u8>>, BufReader<File>>;

/// An open payload: reads decompressed bytes, and remembers its path for the errors.
pub(crate) struct Payload {
    source: Source,
    path: PathBuf,
}

enum Source {
    Plain { reader: Raw, size: u64 },
    Gzip(Box<MultiGzDecoder<Raw>>),
}

impl Payload {
    /// Opens the file at `path`.
    pub(crate) fn open(path: &Path) -> Result<Payload, DataError> {
        let file = File::open(path).map_err(FileError::on("read", path))?;
        Payload::from_file(file, path)
    }

    /// The rest of `file`; `path` is what errors call it.
    pub(crate) fn from_file(file: File, path: &Path) -> Result<Payload, DataError> {
        let size = file.metadata().map_err(FileError::on("read", path))?.len();
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let mut magic = Vec::new();
        reader.by_ref().take(2).read_to_end(&mut magic).map_err(FileError::on("read", path))?;
        let compressed = magic == GZIP_MAGIC;
        let reader = Cursor::new(magic).chain(reader);
        let source = if compressed {
            Source::Gzip(Box::new(MultiGzDecoder::new(reader)))
        } else {
            Source::Plain { reader, size }
        };
        Ok(Payload { source, path: path.to_path_buf() })
    }

    /// What errors call this payload.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The size of the payload where it is known without reading, that is, where it is not compressed.
    pub(crate) fn size(&self) -> Option<u64> {
        match &self.source {
            Source::Plain { size, .. } => Some(*size),
            Source::Gzip(_) => None,
        }
    }

    /// Appends up to `limit` bytes to `out`, which grows only as bytes really arrive. Fewer come only at the end.
    pub(crate) fn read_up_to(&mut self, limit: u64, out: &mut Vec<u8>) -> Result<usize, DataError> {
        let read = match &mut self.source {
            Source::Plain { reader, .. } => reader.take(limit).read_to_end(out),
            Source::Gzip(reader) => reader.take(limit).read_to_end(out),
        };
        read.map_err(|source| self.explain(source))
    }

    /// Size and SHA-256 (hex) of the payload. Stops one byte after `limit`: a size above it says "more than that".
    pub(crate) fn digest(&mut self, limit: u64) -> Result<(u64, String), DataError> {
        let mut hash = Sha256::new();
        let mut size = 0;
        let mut block = Vec::with_capacity(1 << 16);
        while size <= limit {
            block.clear();
            let read = self.read_up_to((limit + 1 - size).min(1 << 16), &mut block)?;
            if read == 0 {
                break;
            }
            hash.update(&block);
            size += read as u64;
        }
        Ok((size, hex(&hash.finalize())))
    }

    fn explain(&self, source: io::Error) -> DataError {
        let path = self.path.clone();
        match (&self.source, source.kind()) {
            (Source::Gzip(_), io::ErrorKind::UnexpectedEof) => DataError::TruncatedGzip { path },
            (Source::Gzip(_), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
                DataError::DamagedGzip { path, detail: source.to_string() }
            }
            _ => DataError::File(FileError { action: "read", path, source }),
        }
    }
}

/// Lower-case hexadecimal digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The file in `folder` that holds the payload `name`: `NAME.gz` before `NAME`.
pub(crate) fn stored(folder: &Path, name: &str) -> Option<PathBuf> {
    [format!("{name}.gz"), name.to_string()].iter().map(|file| folder.join(file)).find(|path| path.is_file())
}
