//! The command line: raw arguments resolved once into typed commands.
