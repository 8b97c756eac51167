//! The payload of a file: its bytes, decompressed where they are gzip. Which it is, is told by content, not by name.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::error::{DataError, Fault};
use crate::files::{FileError, hex};

/// The most bytes of values that a file may hold. Fashion-MNIST's largest file has 47,040,000.
pub const LIMIT: u64 = 1 << 30;

/// The first two bytes of every gzip member (RFC 1952, section 2.3.1). An IDX file begins with two zeros, a MATLAB file with text.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An open payload: reads decompressed bytes, and remembers its path and format for the errors.
pub(crate) struct Payload {
    reader: Box<dyn Read>,
    compressed: bool,
    path: PathBuf,
    format: &'static str,
}

impl Payload {
    /// Opens the file at `path`, to be read in a format.
    pub(crate) fn open(path: &Path, format: &'static str) -> Result<Payload, DataError> {
        let file = File::open(path).map_err(FileError::on("read", path))?;
        Payload::from_file(file, path, format)
    }

    /// The rest of `file`; `path` is what errors call it.
    pub(crate) fn from_file(file: File, path: &Path, format: &'static str) -> Result<Payload, DataError> {
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut magic = Vec::new();
        file.by_ref().take(2).read_to_end(&mut magic).map_err(FileError::on("read", path))?;
        let compressed = magic == GZIP_MAGIC;
        let plain = Cursor::new(magic).chain(file);
        let reader: Box<dyn Read> = if compressed { Box::new(MultiGzDecoder::new(plain)) } else { Box::new(plain) };
        Ok(Payload { reader, compressed, path: path.to_path_buf(), format })
    }

    /// The error for what was `found` in this file.
    pub(crate) fn refuse(&self, found: impl Into<String>, accepted: impl Into<String>) -> DataError {
        Fault::new(found, accepted).reading(&self.path, self.format).into()
    }

    /// The rest of the payload, which must be the `expected` bytes (`None`: more than can be counted) that `promise` says
    /// ("its header promises 2 × 3 = 6 values"). Memory grows only as bytes arrive.
    ///
    /// Refused: more than [`LIMIT`] bytes, fewer or more bytes than promised.
    pub(crate) fn body(&mut self, promise: &str, expected: Option<u64>) -> Result<Vec<u8>, DataError> {
        let Some(expected) = expected.filter(|&expected| expected <= LIMIT) else {
            return Err(self.refuse(promise, format!("at most {LIMIT} bytes (1 GiB) are accepted")));
        };
        let mut values = Vec::new();
        // One byte more than promised: it must not be there, and asking for it makes gzip check its CRC.
        let found = self.read_up_to(expected + 1, &mut values)? as u64;
        if found != expected {
            let found = if found < expected { format!("only {found}") } else { "more".to_owned() };
            return Err(self.refuse(format!("{promise}, but {found} bytes follow"), ""));
        }
        values.shrink_to_fit();
        Ok(values)
    }

    /// Appends up to `limit` bytes to `out`, which grows only as bytes really arrive. Fewer come only at the end.
    pub(crate) fn read_up_to(&mut self, limit: u64, out: &mut Vec<u8>) -> Result<usize, DataError> {
        let read = self.reader.by_ref().take(limit).read_to_end(out);
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
        let again = "fetch or copy it again";
        match source.kind() {
            io::ErrorKind::UnexpectedEof if self.compressed => {
                self.refuse("the gzip stream is truncated, the file ends before the stream does", again)
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if self.compressed => {
                self.refuse(format!("its gzip stream is damaged: {source}"), again)
            }
            _ => FileError { action: "read", path: self.path.clone(), source }.into(),
        }
    }
}

/// The file in `folder` that holds the payload `name`: `NAME.gz` before `NAME`.
pub(crate) fn stored(folder: &Path, name: &str) -> Option<PathBuf> {
    [format!("{name}.gz"), name.to_string()].iter().map(|file| folder.join(file)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    #[test]
    fn memory_grows_as_bytes_arrive_and_not_as_they_are_asked_for() {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let mut encoder = GzEncoder::new(File::create(&path).unwrap(), Compression::default());
        encoder.write_all(&[0; 116]).unwrap();
        encoder.finish().unwrap();
        let mut kept = Vec::new();
        Payload::open(&path, "IDX").unwrap().read_up_to(LIMIT, &mut kept).unwrap();
        assert!(kept.len() == 116 && kept.capacity() < 4096, "{} bytes allocated for 116", kept.capacity());
    }
}
