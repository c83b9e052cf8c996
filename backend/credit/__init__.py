"""先诊疗后付费: care first, payment later, with instalments and due process before any consequence."""
