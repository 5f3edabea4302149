/* Stand-in for Intel's out-of-tree i915: nothing but the module information that modinfo and dkms read. */
#if KERNEL_VERSION < OLDEST_KERNEL || KERNEL_VERSION > NEWEST_KERNEL
#error "implicit declaration of function 'drm_dp_mst_topology_mgr_init': this driver does not support this kernel"
#endif

#define INFO(name, text) \
	__attribute__((section(".modinfo"), used)) static const char name[] = #name "=" text

#ifdef DRIVER_VERSION
INFO(version, DRIVER_VERSION);
#endif
INFO(license, "GPL and additional rights");
INFO(description, "Intel Graphics (stand-in)");
INFO(srcversion, "5AF1C0DE" DRIVER_HASH);
INFO(alias, "pci:v00008086d000056A0sv*sd*bc03sc*i*");
INFO(depends, "");
INFO(name, "i915");
INFO(vermagic, KERNEL_RELEASE " SMP preempt mod_unload modversions ");
