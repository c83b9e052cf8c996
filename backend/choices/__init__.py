"""定点选定 and 家庭医生签约: primary institutions that somebody chooses, and the doctor team they sign with."""
