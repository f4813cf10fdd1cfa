/** How long real engines may take for something, in ms. */
export const within = { timeout: 45_000, interval: 150 };
