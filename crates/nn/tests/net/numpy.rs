//! Files that NumPy wrote are read, what is written here NumPy reads, and files that were tampered with are errors, whatever was
//! done to them. `tests/data/numpy/make.py` made the files.

use nn::data::{Array, Numbers, idx, npy, npz};
use nn::{Fault, Kind, generator};
use rand::Rng;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/numpy")
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

/// What each array of a type holds: 0 to 5, with −1 for 1 where there are signs.
fn numbers(signed: bool) -> Vec<f64> {
    vec![0.0, if signed { -1.0 } else { 1.0 }, 2.0, 3.0, 4.0, 5.0]
}

#[test]
fn what_numpy_wrote_is_read_in_every_type_byte_order_and_version() {
    let types =
        ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1"].map(|name| (name, !name.starts_with('u')));
    let deflated = npz::parse("deflated.npz", &read("deflated.npz")).unwrap();
    let stored = npz::parse("stored.npz", &read("stored.npz")).unwrap();
    for (name, signed) in types {
        for name in [name.to_owned(), format!("{name}_big")] {
            let array = &deflated[&name];
            assert_eq!(array.shape, [2, 3], "{name}");
            assert_eq!(array.tensor::<f64>().unwrap().to_vec(), numbers(signed), "{name}");
        }
    }
    assert_eq!(stored.len(), 3);
    assert!(stored.iter().all(|(name, array)| deflated[name] == *array));
    assert_eq!(deflated["fortran"], deflated["f8"]);
    assert_eq!(deflated["true"].numbers, Numbers::U8(vec![0, 1, 0, 1, 0, 1]));
    assert_eq!(deflated["scalar"], Array { shape: vec![], numbers: Numbers::F32(vec![0.5]) });
    assert_eq!(deflated["empty"], Array { shape: vec![0, 3], numbers: Numbers::F64(vec![]) });
    let deep = Array { shape: vec![2, 3, 4], numbers: Numbers::I32((0..24).collect()) };
    assert_eq!(deflated["deep"], deep);
    assert_eq!(npy::parse("fortran.npy", &read("fortran.npy")).unwrap(), deep);
    for version in 1..=3 {
        let name = format!("version{version}.npy");
        assert_eq!(npy::parse(&name, &read(&name)).unwrap(), deflated["f4"]);
    }
    for (name, signed) in [("u1", false), ("i1", true), ("i2", true), ("i4", true), ("f4", true), ("f8", true)] {
        let file = format!("{name}.idx");
        let array = idx::parse(&file, &read(&file)).unwrap();
        assert_eq!((&array.shape[..], array.tensor::<f64>().unwrap().to_vec()), (&[2, 3][..], numbers(signed)));
        assert_eq!(array, deflated[name]);
    }
    assert_eq!(idx::parse("u1.idx.gz", &read("u1.idx.gz")).unwrap(), deflated["u1"]);
}

#[test]
fn what_is_no_array_of_numbers_is_named() {
    for (name, word) in [("records.npy", "records"), ("text.npy", "text: save it as CSV")] {
        let error = npy::parse(name, &read(name)).unwrap_err();
        assert!(
            matches!(error.kind, Kind::Stored(Fault::Unsupported(_))) && error.to_string().contains(word),
            "{error}"
        );
    }
}

/// Where Python has NumPy, which it has not everywhere: the bytes that are written do not change silently either.
#[test]
fn numpy_reads_what_is_written() {
    let to = std::env::temp_dir().join(format!("nn-numpy-{}", std::process::id()));
    std::fs::create_dir_all(&to).unwrap();
    let signed = [0, -1, 2, 3, 4, 5];
    let of = |numbers| Array { shape: vec![2, 3], numbers };
    let all = [
        ("f8", of(Numbers::F64(numbers(true)))),
        ("f4", of(Numbers::F32(numbers(true).iter().map(|&x| x as f32).collect()))),
        ("i8", of(Numbers::I64(signed.map(i64::from).to_vec()))),
        ("i4", of(Numbers::I32(signed.to_vec()))),
        ("u8", of(Numbers::U64((0..6).collect()))),
        ("u1", of(Numbers::U8((0..6).collect()))),
        ("net/ü", Array { shape: vec![], numbers: Numbers::F32(vec![0.5]) }),
        ("empty", Array { shape: vec![0, 3], numbers: Numbers::F64(vec![]) }),
    ];
    for (name, array) in &all[..6] {
        npy::write(to.join(format!("{name}.npy")), array).unwrap();
    }
    npz::write(to.join("all.npz"), all.iter().map(|(name, array)| (*name, array))).unwrap();
    let again = npz::read(to.join("all.npz")).unwrap();
    assert!(all.iter().all(|(name, array)| again[*name] == *array && again.len() == all.len()));
    // NumPy itself wrote these bytes.
    assert_eq!(npy::bytes(&all[1].1), read("version1.npy"));
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let has = Command::new(&python).args(["-c", "import numpy"]).output();
    if has.is_ok_and(|has| has.status.success()) {
        let check = Command::new(python).arg(folder().join("make.py")).arg("check").arg(&to).output().unwrap();
        assert!(check.stdout.starts_with(b"as written"), "{}", String::from_utf8_lossy(&check.stderr));
    }
    std::fs::remove_dir_all(&to).unwrap();
}

/// One or a few changes of a kind that hurts: a bit, a cut, a part twice, a word of the format, a longer number.
fn tampered(bytes: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    const WORDS: [&[u8]; 9] =
        [b"True", b"(0, 99999999999)", b"()", b"<f8", b"|O", b"PK\x01\x02", b"\xff\xff\xff\xff", b"\0\0\0\0", b"9999"];
    let mut bytes = bytes.to_vec();
    let mut below = |n: usize| (rng.next_u64() % n.max(1) as u64) as usize;
    for _ in 0..=below(4) {
        let (at, to) = (below(bytes.len()), below(bytes.len()));
        let (from, end) = (at.min(to), at.max(to));
        match below(6) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << below(8),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(from..end)),
            3 => drop(bytes.splice(at..at, bytes[from..end].to_vec())),
            4 => bytes.insert(at, below(256) as u8),
            _ => {
                let word = WORDS[below(WORDS.len())];
                let end = (at + word.len()).min(bytes.len());
                drop(bytes.splice(at..end, word.iter().copied()));
            }
        }
    }
    bytes
}

#[test]
fn tampered_files_are_errors_or_arrays_and_never_a_panic() {
    let rng = &mut generator(5);
    let mut refused = 0;
    for name in ["version1.npy", "version3.npy", "fortran.npy", "text.npy"] {
        let bytes = read(name);
        for _ in 0..500 {
            match npy::parse(name, &tampered(&bytes, rng)) {
                Ok(array) => assert_eq!(array.shape.iter().product::<usize>(), array.numbers.len()),
                Err(error) => refused += usize::from(error.to_string().starts_with(name)),
            }
        }
    }
    for name in ["stored.npz", "deflated.npz"] {
        let bytes = read(name);
        (0..150).for_each(|_| refused += usize::from(npz::parse(name, &tampered(&bytes, rng)).is_err()));
    }
    for name in ["u1.idx", "f8.idx", "u1.idx.gz"] {
        let bytes = read(name);
        (0..500).for_each(|_| refused += usize::from(idx::parse(name, &tampered(&bytes, rng)).is_err()));
    }
    assert!(refused > 2000, "{refused}");
}

#[test]
fn an_empty_array_of_fortran_with_another_size_beyond_memory_takes_none() {
    let head = "{'descr': '<f8', 'fortran_order': True, 'shape': (0, 1099511627776), }\n";
    let bytes = [b"\x93NUMPY\x01\0", &[head.len() as u8, 0][..], head.as_bytes()].concat();
    assert_eq!(npy::parse("a.npy", &bytes).unwrap().shape, [0, 1 << 40]);
}
