//! The pages of a Parquet file's columns, unpacked here.
//!
//! The crate `parquet` takes a page's own word for its length, and unpacks Zstandard by a library in C. So it is told that
//! the columns are not packed, and what it reads is unpacked by [`unpack`](mod@super::unpack).

use std::fs::File;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::RowGroupReader;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;

use super::unpack::unpack;

/// A group of rows.
pub(super) struct Group<'a> {
    file: Arc<File>,
    metadata: &'a RowGroupMetaData,
}

impl<'a> Group<'a> {
    pub fn new(file: &Arc<File>, metadata: &'a RowGroupMetaData) -> Self {
        Self { file: Arc::clone(file), metadata }
    }
}

impl RowGroupReader for Group<'_> {
    fn metadata(&self) -> &RowGroupMetaData {
        self.metadata
    }

    fn num_columns(&self) -> usize {
        self.metadata.num_columns()
    }

    fn get_column_page_reader(&self, i: usize) -> Result<Box<dyn PageReader>> {
        let column = self.metadata.column(i);
        let codec = column.compression();
        let plain = column.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        let rows = usize::try_from(self.metadata.num_rows())?;
        let pages = SerializedPageReader::new(Arc::clone(&self.file), &plain, rows, None)?;
        Ok(Box::new(Pages { pages, codec }))
    }

    fn get_column_bloom_filter(&self, _: usize) -> Option<&Sbbf> {
        None
    }

    fn get_row_iter(&self, projection: Option<Type>) -> Result<RowIter<'_>> {
        RowIter::from_row_group(projection, self)
    }
}

/// The pages of a column.
struct Pages {
    pages: SerializedPageReader<File>,
    codec: Compression,
}

impl Pages {
    fn unpacked(&self, mut page: Page) -> Result<Page> {
        if self.codec == Compression::UNCOMPRESSED {
            return Ok(page);
        }
        match &mut page {
            Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => {
                *buf = unpack(self.codec, buf)?.into();
            }
            Page::DataPageV2 { buf, def_levels_byte_len, rep_levels_byte_len, is_compressed, .. } => {
                if std::mem::take(is_compressed) {
                    // The levels in front are never packed.
                    let levels =
                        (*def_levels_byte_len as usize).saturating_add(*rep_levels_byte_len as usize);
                    let short = || ParquetError::EOF("a page is shorter than its levels".to_owned());
                    let (levels, packed) = buf.split_at_checked(levels).ok_or_else(short)?;
                    *buf = [levels, &unpack(self.codec, packed)?].concat().into();
                }
            }
        }
        Ok(page)
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        self.pages.get_next_page()?.map(|page| self.unpacked(page)).transpose()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }
}
