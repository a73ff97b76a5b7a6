//! `nn export`.

use crate::cli::ExportFlags;
use crate::{Failure, output, run_folder};
use export::{Number, model};
use std::io::Write as _;
use std::path::Path;

pub(crate) fn export(flags: &ExportFlags) -> Result<(), Failure> {
    let of = run_folder::load(&flags.model.path())?;
    let number = if flags.f32 { Number::F32 } else { Number::F64 };
    let name = |file: &Path| flags.name.clone().unwrap_or_else(|| named_as(file));
    let files = &flags.files;
    // All is made before anything is written.
    let mut made: Vec<(&Path, Vec<u8>)> = Vec::new();
    if let Some(file) = &files.onnx {
        made.push((file, model::onnx(&of, number).map_err(refused)?));
    }
    if let Some(file) = &files.c {
        made.push((file, model::c(&of, &name(file), number).map_err(refused)?.into_bytes()));
    }
    if let Some(file) = &files.rust {
        made.push((file, model::rust(&of, &name(file), number).map_err(refused)?.into_bytes()));
    }
    if let Some(file) = &files.json {
        made.push((file, model::json(&of).into_bytes()));
    }
    let to_output = made.iter().filter(|(file, _)| *file == Path::new("-")).count();
    if to_output > 1 {
        let text = format!("expected one file at most for standard output, found {to_output}");
        return Err(Failure::misused(text, "give the others names"));
    }
    for (file, _) in &made {
        run_folder::hold_apart(file, &[("the model", &flags.model.path())])?;
    }
    for (file, bytes) in made {
        if file == Path::new("-") {
            output::write(|out| out.write_all(&bytes))?;
        } else {
            run_folder::replace(file, &bytes)?;
        }
    }
    Ok(())
}

/// A name for functions: that of the file, or of no file at all.
fn named_as(file: &Path) -> String {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    if stem == "-" { "model".to_owned() } else { export::identifier(&stem) }
}

fn refused(error: export::Error) -> Failure {
    if let export::Error::Port(text) = error {
        Failure::misused(text, "give another name with `--name NAME`")
    } else {
        Failure::new(error.to_string(), "`nn export --json FILE` takes any model")
    }
}
