//! Where the arm may be.

use nalgebra::{Point3, Vector3};

use crate::config::SafetyConfig;
use crate::control::{KeepOutBox, ReachCylinder, Table, Workspace};

/// Where the arm may be.
pub(in crate::cli) fn workspace(safety: &SafetyConfig) -> Workspace {
    let metres = |millimetres: f64| millimetres * 1e-3;
    let keep_out = safety.keep_out_mm.iter().map(|corners| {
        let [x0, y0, z0, x1, y1, z1] = corners.map(metres);
        KeepOutBox {
            centre_m: Point3::new((x0 + x1) / 2.0, (y0 + y1) / 2.0, (z0 + z1) / 2.0),
            half_size_m: Vector3::new((x1 - x0).abs(), (y1 - y0).abs(), (z1 - z0).abs()) / 2.0,
            yaw_rad: 0.0,
            clearance_m: 0.0,
        }
    });
    Workspace {
        self_margin_m: metres(safety.self_margin_mm),
        table: safety.table.then(|| Table { height_m: 0.0, clearance_m: metres(safety.table_clearance_mm) }),
        reach_cylinder: safety
            .reach_mm
            .map(|radius_mm| ReachCylinder { radius_m: metres(radius_mm), top_m: f64::INFINITY }),
        reach_sphere: None,
        keep_out: keep_out.collect(),
    }
}

/// Where the policy's own motion may be: down to the table, since what is to be gripped lies on it. `table_clearance_mm` is for ways
/// that nobody but the program chose.
pub(super) fn gate_workspace(safety: &SafetyConfig) -> Workspace {
    let on_the_table = |table: Table| Table { clearance_m: 0.0, ..table };
    let workspace = workspace(safety);
    Workspace { table: workspace.table.map(on_the_table), ..workspace }
}
