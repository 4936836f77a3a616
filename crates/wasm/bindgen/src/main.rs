//! `bindgen MODULE FOLDER`: writes the JavaScript and the types that belong to a WebAssembly module.
//!
//! The program of the same makers, wasm-bindgen-cli, must be of exactly the version of the crate that a module was
//! linked with, and brings an HTTP client and a server along. As a dependency, its library is of that version.

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (module, folder) = arguments.next().zip(arguments.next()).context("usage: bindgen MODULE FOLDER")?;
    Bindgen::new()
        .input_path(module)
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .out_name("getclip")
        .omit_default_module_path(true)
        .generate(folder)
}
