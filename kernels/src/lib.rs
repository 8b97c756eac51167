//! Matrix products and vector functions whose bits depend on nothing but their input.
