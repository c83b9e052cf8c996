"""What everything else is made of: money, time, ids, states, refusals. Pure; imports nothing of ours."""
