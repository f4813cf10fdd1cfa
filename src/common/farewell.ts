/**
 * Metadata of the last heartbeat of an agent that ends its session in good order, to restart or to open another: its tasks
 * go on meanwhile, so its node has until that heartbeat's successor is due before it counts as down. Managers that do not
 * know it take no notice.
 */
export const WILL_RETURN = 'swarmd-will-return';
