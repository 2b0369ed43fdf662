package unit

// ConditionKind is a condition's setting without "Condition" or "Assert".
type ConditionKind uint8

// Kinds of conditions (systemd.unit(5)).
const (
	CondArchitecture ConditionKind = iota
	CondFirmware
	CondVirtualization
	CondHost
	CondKernelCommandLine
	CondKernelVersion
	CondCredential
	CondEnvironment
	CondSecurity
	CondCapability
	CondACPower
	CondNeedsUpdate
	CondFirstBoot
	CondPathExists
	CondPathExistsGlob
	CondPathIsDirectory
	CondPathIsSymbolicLink
	CondPathIsMountPoint
	CondPathIsReadWrite
	CondPathIsEncrypted
	CondDirectoryNotEmpty
	CondFileNotEmpty
	CondFileIsExecutable
	CondUser
	CondGroup
	CondControlGroupController
	CondMemory
	CondCPUs
	CondCPUFeature
	CondOSRelease
	CondMemoryPressure
	CondCPUPressure
	CondIOPressure
	ConditionKinds
)

var conditionNames = [ConditionKinds]string{"Architecture", "Firmware", "Virtualization", "Host", "KernelCommandLine",
	"KernelVersion", "Credential", "Environment", "Security", "Capability", "ACPower", "NeedsUpdate", "FirstBoot",
	"PathExists", "PathExistsGlob", "PathIsDirectory", "PathIsSymbolicLink", "PathIsMountPoint", "PathIsReadWrite",
	"PathIsEncrypted", "DirectoryNotEmpty", "FileNotEmpty", "FileIsExecutable", "User", "Group",
	"ControlGroupController", "Memory", "CPUs", "CPUFeature", "OSRelease", "MemoryPressure", "CPUPressure",
	"IOPressure"}

func (k ConditionKind) String() string { return conditionNames[k] }
