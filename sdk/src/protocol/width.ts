/** Alternatives for one drafted step, at most. The paper's Table 3 goes as far, and finds that more than 4 cost more than they gain. */
export const MAX_WIDTH = 8
