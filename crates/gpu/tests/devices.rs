//! Devices by name, and what a build without them says.

use wellfit_gpu::{Device, DeviceError, open};

#[test]
fn names_and_devices_belong_together() {
    for name in ["cpu", "wgpu", "cuda", "cuda:3"] {
        assert_eq!(name.parse::<Device>().unwrap().to_string(), name);
    }
    assert_eq!("cuda:0".parse::<Device>().unwrap(), Device::Cuda(0));
    for name in ["", "gpu", "CPU", "cpu:0", "wgpu:1", "cuda:", "cuda:-1", "cuda:x", "cuda:1:2"] {
        let error = name.parse::<Device>().unwrap_err();
        assert!(error.to_string().contains(&format!("no device `{name}`")), "{error}");
    }
}

#[test]
fn the_processor_is_always_there() {
    assert_eq!(open(Device::Cpu).unwrap().name(), "cpu");
}

#[test]
fn a_device_that_was_left_out_of_the_build_names_its_feature() {
    for (device, feature, built) in
        [(Device::Wgpu, "wgpu", cfg!(feature = "wgpu")), (Device::Cuda(1), "cuda", cfg!(feature = "cuda"))]
    {
        if !built {
            let error = open(device).unwrap_err();
            assert!(matches!(error, DeviceError::NotBuilt { feature: named } if named == feature), "{error}");
            assert!(error.to_string().contains(&format!("--features {feature}")), "{error}");
        }
    }
}
