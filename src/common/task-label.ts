/** Label by which Docker and its clients tell a container of a task: the value is the task's id. */
export const TASK_LABEL = 'com.docker.swarm.task.id';
