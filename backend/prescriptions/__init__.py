"""处方流转: prescriptions from a doctor's signature to the drug in the patient's hand, voided without a race."""
