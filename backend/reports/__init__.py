"""实名举报: reports whose reporters stay unknown, how they are handled, and the reward."""
