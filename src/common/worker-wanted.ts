/** Begins the refusal of a manager that was demoted while it was away: it may come back as a worker only. */
export const WORKER_WANTED = 'this node is to be a worker';
/** Begins the refusal to enter a group of managers that are not ours. */
export const FOREIGN_MANAGERS = 'the managers of this swarm are Docker Engines';
