#include "textflag.h"

// The signals by which a processor speaks of an instruction, with bit n for signal n:
// ILL, TRAP, BUS, FPE, SEGV, SYS. Sent by somebody they have an si_code of 0 or below.
#define FAULTS $0x800009B0

// handle(number, info, context), on the stack for signals, with its way back on top.
TEXT ·handle(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVL	FAULTS, AX
	CMPL	DI, $32
	JGE	sent
	BTL	DI, AX
	JCC	sent
	CMPL	8(SI), $0 // si_code
	JLE	sent
	MOVQ	·beyond(SB), AX
	JMP	AX
sent:
	SUBQ	$16, SP
	MOVL	DI, 0(SP)
	XORL	AX, AX
	CMPL	8(SI), $0 // si_code, above 0 where the kernel has sent it
	JGT	from
	MOVL	16(SI), AX // si_pid
from:
	MOVL	AX, 4(SP)
	// A child that has not executed its program yet has our memory, and is not us.
	MOVL	$39, AX // getpid
	SYSCALL
	CMPL	AX, ·self(SB)
	JNE	done
	MOVL	$1, AX // write
	MOVL	·link(SB), DI
	MOVQ	SP, SI
	MOVL	$8, DX
	SYSCALL
done:
	ADDQ	$16, SP
	RET

// handler() uintptr
TEXT ·handler(SB),NOSPLIT,$0-8
	LEAQ	·handle(SB), AX
	MOVQ	AX, ret+0(FP)
	RET
