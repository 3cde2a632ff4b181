package cgroup

import (
	"fmt"

	"github.com/cilium/ebpf/asm"
)

// program stores the arguments of the current process, and its program's file
// and path, in the record of R8. It leaves R7 alone.
func (a *assembly) program(o offsets) {
	const scratch, scratch2 = -64, -56
	a.add(asm.FnGetCurrentTask.Call(), asm.Mov.Reg(asm.R9, asm.R0))
	a.follow(asm.R9, o.memory)
	a.peek(asm.RFP, scratch, 8, asm.R9, o.argStart)
	a.peek(asm.RFP, scratch2, 8, asm.R9, o.argEnd)
	a.add(
		asm.LoadMem(asm.R3, asm.RFP, scratch, asm.DWord), asm.LoadMem(asm.R2, asm.RFP, scratch2, asm.DWord), asm.Sub.Reg(asm.R2, asm.R3),
		asm.StoreMem(asm.R8, processArgs, asm.R2, asm.DWord),
		asm.JLE.Imm(asm.R2, mostArgs, "fits"), asm.Mov.Imm(asm.R2, mostArgs),
	)
	a.at("fits")
	a.add(
		asm.Mov.Reg(asm.R1, asm.R8), asm.Add.Imm(asm.R1, processArgv), asm.FnProbeReadUser.Call(),
		asm.JEq.Imm(asm.R0, 0, "read"), asm.Mov.Imm(asm.R1, 0), asm.StoreMem(asm.R8, processArgs, asm.R1, asm.DWord),
	)
	a.at("read")
	a.follow(asm.R9, o.exe)
	a.add(asm.StoreMem(asm.R8, processFile, asm.R9, asm.DWord), asm.Mov.Imm(asm.R1, 0), asm.StoreMem(asm.R8, processPath, asm.R1, asm.DWord))
	if o.noPath == nil {
		a.path(o)
	}
}

// mostSteps is how many directories and mounts a path may lead through.
const mostSteps = 24

// path stores the names of the path of the file of R9, as far up as its mounts
// reach: to the instance's own root. Where it is too long it has no length.
func (a *assembly) path(o offsets) {
	const length, parent, mount, name = -72, -80, -88, -96
	a.add(asm.Mov.Imm(asm.R1, 0), asm.StoreMem(asm.RFP, length, asm.R1, asm.DWord))
	a.add(asm.Mov.Reg(asm.R6, asm.R9))
	a.follow(asm.R6, o.fileName)
	a.follow(asm.R9, o.fileMount)
	a.add(asm.Sub.Imm(asm.R9, int32(o.within)))
	for i := range mostSteps {
		label := func(name string) string { return fmt.Sprintf("%s%d", name, i) }
		a.peek(asm.RFP, name, 8, asm.R9, o.root)
		a.peek(asm.RFP, parent, 8, asm.R6, o.parentName)
		a.add(
			asm.LoadMem(asm.R1, asm.RFP, name, asm.DWord), asm.JEq.Reg(asm.R1, asm.R6, label("mount")),
			asm.LoadMem(asm.R1, asm.RFP, parent, asm.DWord), asm.JEq.Reg(asm.R1, asm.R6, label("mount")),
		)
		a.peek(asm.RFP, name, 8, asm.R6, o.name)
		a.add(
			asm.LoadMem(asm.R1, asm.RFP, length, asm.DWord), asm.JGT.Imm(asm.R1, mostPath, "described"),
			asm.Add.Reg(asm.R1, asm.R8), asm.Add.Imm(asm.R1, processNames), asm.Mov.Imm(asm.R2, mostName), asm.LoadMem(asm.R3, asm.RFP, name, asm.DWord),
			asm.FnProbeReadKernelStr.Call(),
			asm.JSLT.Imm(asm.R0, 0, "described"),
			asm.LoadMem(asm.R1, asm.RFP, length, asm.DWord), asm.Add.Reg(asm.R1, asm.R0), asm.StoreMem(asm.RFP, length, asm.R1, asm.DWord),
			asm.LoadMem(asm.R6, asm.RFP, parent, asm.DWord), asm.Ja.Label(label("next")),
		)
		a.at(label("mount"))
		a.peek(asm.RFP, mount, 8, asm.R9, o.above)
		a.add(asm.LoadMem(asm.R1, asm.RFP, mount, asm.DWord), asm.JEq.Reg(asm.R1, asm.R9, "top"))
		a.peek(asm.RFP, name, 8, asm.R9, o.point)
		a.add(asm.LoadMem(asm.R6, asm.RFP, name, asm.DWord), asm.LoadMem(asm.R9, asm.RFP, mount, asm.DWord))
		a.at(label("next"))
	}
	a.add(asm.Ja.Label("described"))
	a.at("top")
	a.add(asm.LoadMem(asm.R1, asm.RFP, length, asm.DWord), asm.StoreMem(asm.R8, processPath, asm.R1, asm.DWord))
	a.at("described")
}

// execProgram tells of each program that a process of the cgroup begins, as it
// begins it: of those that others descend from there may be no more to read
// when these are told of.
func execProgram(m *maps, o offsets) asm.Instructions {
	a := assembly{maps: m}
	a.add(
		asm.LoadMapPtr(asm.R1, m.group.FD()), asm.Mov.Imm(asm.R2, 0), asm.FnCurrentTaskUnderCgroup.Call(), asm.JNE.Imm(asm.R0, 1, "out"),
		asm.FnGetCurrentTask.Call(), asm.Mov.Reg(asm.R7, asm.R0),
	)
	a.reserve(processAbove)
	a.add(asm.StoreImm(asm.R8, 0, kindExec, asm.Word), asm.StoreImm(asm.R8, processDepth, 0, asm.Word))
	a.peek(asm.R8, processKey+keyExec, 8, asm.R7, o.exec)
	a.program(o)
	a.submit(later)
	return a.instructions
}
