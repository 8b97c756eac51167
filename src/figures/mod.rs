//! Pictures and pages: loss curves, image grids, the self-contained HTML report.
