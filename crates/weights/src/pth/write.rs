use super::zip;
use crate::{Array, Dtype, Fault, WeightFile, view::row_major};

/// The bytes of a `.pth` that `torch.load(weights_only=True)` opens as a state dict. The same weights give
/// the same bytes.
///
/// The format has no place for [`WeightFile::metadata`], which is left out.
///
/// # Errors
/// [`Fault::Invalid`] if a name appears twice, a shape does not match its data, or the file would reach
/// 4 GiB.
pub fn to_pth_bytes(weights: &WeightFile) -> Result<Vec<u8>, Fault> {
    weights.check()?;
    let mut zip = zip::Writer::default();
    zip.add("archive/data.pkl", &pickle(weights))?;
    zip.add("archive/byteorder", b"little")?;
    let mut bytes = Vec::new();
    for (key, (_, array)) in weights.arrays.iter().enumerate() {
        bytes.clear();
        array.data.append_le_bytes(&mut bytes);
        zip.add(&format!("archive/data/{key}"), &bytes)?;
    }
    zip.add("archive/version", b"3\n")?;
    zip.finish()
}

/// `OrderedDict` of every array, as PyTorch pickles it (protocol 2) but without the memo.
fn pickle(weights: &WeightFile) -> Vec<u8> {
    let mut pickle = Pickle(b"\x80\x02ccollections\nOrderedDict\n)R(".to_vec());
    for (key, (name, array)) in weights.arrays.iter().enumerate() {
        pickle.text(name);
        pickle.tensor(key, array);
    }
    pickle.0.extend(b"u.");
    pickle.0
}

struct Pickle(Vec<u8>);

impl Pickle {
    /// `_rebuild_tensor_v2(storage, 0, shape, stride, requires_grad=False, backward_hooks=OrderedDict())`,
    /// where the storage is a persistent id: ("storage", type, key, "cpu", number of elements).
    fn tensor(&mut self, key: usize, Array { shape, data }: &Array) {
        self.0.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        self.text("storage");
        self.0.extend(match data.dtype() {
            Dtype::F32 => b"ctorch\nFloatStorage\n".as_slice(),
            Dtype::I64 => b"ctorch\nLongStorage\n",
            Dtype::I8 => b"ctorch\nCharStorage\n",
        });
        self.text(&key.to_string());
        self.text("cpu");
        self.int(data.len());
        self.0.extend(b"tQK\0");
        self.sizes(shape);
        self.sizes(&row_major(shape));
        self.0.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }

    fn sizes(&mut self, sizes: &[usize]) {
        self.0.push(b'(');
        sizes.iter().for_each(|&size| self.int(size));
        self.0.push(b't');
    }

    fn text(&mut self, text: &str) {
        self.0.push(b'X');
        self.0.extend((text.len() as u32).to_le_bytes());
        self.0.extend(text.as_bytes());
    }

    /// A nonnegative integer in its shortest form.
    fn int(&mut self, value: usize) {
        if let Ok(byte) = u8::try_from(value) {
            self.0.extend([b'K', byte]);
        } else if let Ok(int) = i32::try_from(value) {
            self.0.push(b'J');
            self.0.extend(int.to_le_bytes());
        } else {
            self.0.extend([0x8a, 8]);
            self.0.extend((value as u64).to_le_bytes());
        }
    }
}
