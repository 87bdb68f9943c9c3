//! Where the arm may be.

use nalgebra::{Point3, Vector3};

use super::super::error::Unreadable;
use super::super::wire;
use super::{Convert, number, optional};
use crate::control::{KeepOutBox, ReachCylinder, ReachSphere, Table, Workspace};

fn three(values: &[f64], what: &str) -> Result<[f64; 3], Unreadable> {
    values.try_into().map_err(|_| Unreadable::invalid(what, format_args!("{} values", values.len())))
}

impl Convert for Workspace {
    type Wire = wire::Workspace;

    fn to_wire(&self) -> wire::Workspace {
        let Self { self_margin_m, table, reach_cylinder, reach_sphere, keep_out } = self;
        wire::Workspace {
            self_margin_m: Some(*self_margin_m),
            table: table.as_ref().map(Convert::to_wire),
            reach_cylinder: reach_cylinder.as_ref().map(Convert::to_wire),
            reach_sphere: reach_sphere.as_ref().map(Convert::to_wire),
            keep_out: keep_out.iter().map(Convert::to_wire).collect(),
        }
    }

    fn from_wire(wire: wire::Workspace) -> Result<Self, Unreadable> {
        Ok(Self {
            self_margin_m: number(wire.self_margin_m, "self margin")?,
            table: optional(wire.table)?,
            reach_cylinder: optional(wire.reach_cylinder)?,
            reach_sphere: optional(wire.reach_sphere)?,
            keep_out: wire.keep_out.into_iter().map(KeepOutBox::from_wire).collect::<Result<_, _>>()?,
        })
    }
}

impl Convert for Table {
    type Wire = wire::Table;

    fn to_wire(&self) -> wire::Table {
        let Self { height_m, clearance_m } = *self;
        wire::Table { height_m: Some(height_m), clearance_m: Some(clearance_m) }
    }

    fn from_wire(wire: wire::Table) -> Result<Self, Unreadable> {
        Ok(Self {
            height_m: number(wire.height_m, "table height")?,
            clearance_m: number(wire.clearance_m, "table clearance")?,
        })
    }
}

impl Convert for ReachCylinder {
    type Wire = wire::ReachCylinder;

    fn to_wire(&self) -> wire::ReachCylinder {
        let Self { radius_m, top_m } = *self;
        wire::ReachCylinder { radius_m: Some(radius_m), top_m: Some(top_m) }
    }

    fn from_wire(wire: wire::ReachCylinder) -> Result<Self, Unreadable> {
        Ok(Self { radius_m: number(wire.radius_m, "reach")?, top_m: number(wire.top_m, "top of the reach")? })
    }
}

impl Convert for ReachSphere {
    type Wire = wire::ReachSphere;

    fn to_wire(&self) -> wire::ReachSphere {
        let Self { centre_m, radius_m } = *self;
        wire::ReachSphere { centre_m: centre_m.iter().copied().collect(), radius_m: Some(radius_m) }
    }

    fn from_wire(wire: wire::ReachSphere) -> Result<Self, Unreadable> {
        Ok(Self {
            centre_m: Point3::from(three(&wire.centre_m, "a centre")?),
            radius_m: number(wire.radius_m, "reach")?,
        })
    }
}

impl Convert for KeepOutBox {
    type Wire = wire::Box;

    fn to_wire(&self) -> wire::Box {
        let Self { centre_m, half_size_m, yaw_rad, clearance_m } = *self;
        wire::Box {
            centre_m: centre_m.iter().copied().collect(),
            half_size_m: half_size_m.iter().copied().collect(),
            yaw_rad: Some(yaw_rad),
            clearance_m: Some(clearance_m),
        }
    }

    fn from_wire(wire: wire::Box) -> Result<Self, Unreadable> {
        Ok(Self {
            centre_m: Point3::from(three(&wire.centre_m, "a centre")?),
            half_size_m: Vector3::from(three(&wire.half_size_m, "a size")?),
            yaw_rad: number(wire.yaw_rad, "yaw")?,
            clearance_m: number(wire.clearance_m, "clearance")?,
        })
    }
}
