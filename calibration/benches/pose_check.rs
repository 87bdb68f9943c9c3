//! Time of one whole check of a pose: all rules in force, over poses that differ in how much of the arm is near itself.

use std::hint::black_box;

use calibration::collision::{ArmCapsules, KeepOutBox, ReachCylinder, ReachSphere, Table, Workspace};
use calibration::{DatasetAngles, JointAngles};
use criterion::{Criterion, criterion_group, criterion_main};
use nalgebra::{Point3, Vector3};

fn pose_check(criterion: &mut Criterion) {
    let arm = ArmCapsules::default();
    let area = |x, y| KeepOutBox {
        centre_m: Point3::new(x, y, 0.1),
        half_size_m: Vector3::new(0.05, 0.05, 0.1),
        yaw_rad: 0.3,
        clearance_m: 0.01,
    };
    let whole = Workspace {
        self_margin_m: 0.01,
        table: Some(Table { height_m: 0.0, clearance_m: 0.002 }),
        reach_cylinder: Some(ReachCylinder { radius_m: 0.45, top_m: 0.6 }),
        reach_sphere: Some(ReachSphere { centre_m: Point3::new(0.0, 0.0, 0.122), radius_m: 0.6 }),
        keep_out: vec![area(-0.3, 0.0), area(0.4, 0.3)],
    };
    let own = Workspace { self_margin_m: 0.01, ..Workspace::default() };
    let poses = [
        ("home", [0.0, 0.0, 90.0, 0.0, 0.0, 0.0]),
        ("pick", [5.0, 33.5, 117.5, 29.0, 5.0, 54.0]),
        ("folded", [0.0, -60.0, 160.0, 0.0, 0.0, 0.0]),
    ];
    for (name, degrees) in poses {
        let angles = JointAngles::from(DatasetAngles::from_array_deg(degrees));
        criterion.bench_function(&format!("place/{name}"), |bencher| {
            bencher.iter(|| arm.place(black_box(&angles)));
        });
        criterion.bench_function(&format!("self_collision/{name}"), |bencher| {
            bencher.iter(|| own.check(&arm, black_box(&angles)));
        });
        criterion.bench_function(&format!("all_rules_two_boxes/{name}"), |bencher| {
            bencher.iter(|| whole.check(&arm, black_box(&angles)));
        });
    }
}

criterion_group!(benches, pose_check);
criterion_main!(benches);
