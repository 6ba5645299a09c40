"""`mmgt eval`: the figures of any model's motions and videos, beside the truth where there is one."""
