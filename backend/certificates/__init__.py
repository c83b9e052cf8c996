"""凭证与证明: signed papers about somebody's insurance, and the check code by which anybody verifies one."""
