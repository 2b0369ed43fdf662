package unit

const (
	noNamespace = "units do not get mount namespaces of their own yet"
	noSandbox   = "the unit is not confined yet"
)

// sandboxSettings are those of systemd.exec(5), "Sandboxing", "System call filtering" and "Mandatory access control".
func sandboxSettings() []Setting {
	return join(
		[]Setting{does("PrivateTmp", privateTmp).with(Unsupported, noSandbox)},
		lacks(noSandbox, "ProtectSystem", "ProtectHome", "ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths",
			"NoExecPaths", "ReadWriteDirectories", "ReadOnlyDirectories", "InaccessibleDirectories", "PrivateDevices",
			"PrivateNetwork", "NetworkNamespacePath", "PrivateIPC", "IPCNamespacePath", "PrivatePIDs", "PrivateUsers",
			"ProtectHostname", "ProtectClock", "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs",
			"ProtectControlGroups", "RestrictAddressFamilies", "RestrictFileSystems", "RestrictNamespaces", "LockPersonality",
			"MemoryDenyWriteExecute", "RestrictRealtime", "RestrictSUIDSGID", "RemoveIPC", "PrivateMounts", "MountFlags",
			"ProtectProc", "ProcSubset", "SystemCallFilter", "SystemCallErrorNumber", "SystemCallArchitectures", "SystemCallLog",
			"Personality", "MemoryKSM"),
		lacks("the unit's root is a directory; images are not mounted yet", "RootImage", "RootImageOptions", "RootImagePolicy",
			"RootHash", "RootHashSignature", "RootVerity", "RootEphemeral", "MountImages", "MountImagePolicy", "ExtensionImages",
			"ExtensionImagePolicy", "ExtensionDirectories"),
		lacks("programs are looked up in the default path", "ExecSearchPath"),
		ignores("security policies are loaded on the host", "SELinuxContext", "AppArmorProfile", "SmackProcessLabel"),
		ignores("a session keyring for each unit is not made; keys stay those of the container", "KeyringMode"),
	)
}

func privateTmp(r *reader, u *Unit, value string) (err error) {
	if value == "disconnected" {
		u.Exec.PrivateTmp = true
		return nil
	}
	return into(func(u *Unit) *bool { return &u.Exec.PrivateTmp }, boolean)(r, u, value)
}
