"""The 134-point whole-body skeleton of MMGT as data (docs/method.md 1.3)."""

from __future__ import annotations

KEYPOINTS = 134
CHANNELS = 3  # x, y, score
FLAT = KEYPOINTS * CHANNELS  # 402, keypoint-major

NOSE, NECK = 0, 1
RIGHT_SHOULDER, RIGHT_ELBOW, RIGHT_WRIST = 2, 3, 4
LEFT_SHOULDER, LEFT_ELBOW, LEFT_WRIST = 5, 6, 7
RIGHT_HIP, RIGHT_KNEE, RIGHT_ANKLE = 8, 9, 10
LEFT_HIP, LEFT_KNEE, LEFT_ANKLE = 11, 12, 13
RIGHT_EYE, LEFT_EYE, RIGHT_EAR, LEFT_EAR = 14, 15, 16, 17

BODY = slice(0, 18)
FEET = slice(18, 24)
FACE = slice(24, 92)
JAW = slice(24, 41)
BROWS = slice(41, 51)
NOSE_LINE = slice(51, 60)
RIGHT_EYE_RING = slice(60, 66)
LEFT_EYE_RING = slice(66, 72)
LIPS = slice(72, 92)
OUTER_LIPS = slice(72, 84)
INNER_LIPS = slice(84, 92)
LEFT_HAND = slice(92, 113)
RIGHT_HAND = slice(113, 134)
LEGS = (RIGHT_KNEE, RIGHT_ANKLE, LEFT_KNEE, LEFT_ANKLE)  # never drawn, never conditioned on (section 2.4)

FACE_COLUMNS = slice(FACE.start * CHANNELS, FACE.stop * CHANNELS)  # 72..275 of the flat vector

# Pairs of OpenPose body joints, drawn in this order; limb i takes color i (section 6).
BODY_LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10),
    (1, 11), (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip

# Five chains from the wrist (point 0) to each finger tip.
HAND_EDGES = tuple(
    (0 if joint == 0 else 4 * finger + joint, 4 * finger + joint + 1)
    for finger in range(5)
    for joint in range(4)
)

# COCO-WholeBody body order (17 points, then the inserted neck at 17) -> the 18 OpenPose joints above.
OPENPOSE_FROM_COCO = (0, 17, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)

VISIBLE_SCORE = 0.3
