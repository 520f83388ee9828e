#include "textflag.h"

// The signals by which a processor speaks of an instruction, with bit n for signal n:
// ILL, TRAP, BUS, FPE, SEGV, SYS. Sent by somebody they have an si_code of 0 or below.
#define FAULTS $0x800009B0

// handle(number, info, context), on the stack for signals, with its way back in R30.
TEXT ·handle(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	CMP	$32, R0
	BGE	sent
	MOVD	FAULTS, R3
	LSR	R0, R3, R3
	TBZ	$0, R3, sent
	MOVW	8(R1), R3 // si_code
	CMPW	$0, R3
	BLE	sent
	MOVD	·beyond(SB), R3
	JMP	(R3)
sent:
	SUB	$16, RSP
	MOVW	R0, (RSP)
	MOVD	ZR, R4
	MOVW	8(R1), R3 // si_code, above 0 where the kernel has sent it
	CMPW	$0, R3
	BGT	from
	MOVW	16(R1), R4 // si_pid
from:
	MOVW	R4, 4(RSP)
	// A child that has not executed its program yet has our memory, and is not us.
	MOVD	$172, R8 // getpid
	SVC
	MOVW	·self(SB), R3
	CMPW	R0, R3
	BNE	done
	MOVD	$64, R8 // write
	MOVW	·link(SB), R0
	MOVD	RSP, R1
	MOVD	$8, R2
	SVC
done:
	ADD	$16, RSP
	RET

// handler() uintptr
TEXT ·handler(SB),NOSPLIT,$0-8
	MOVD	$·handle(SB), R0
	MOVD	R0, ret+0(FP)
	RET
