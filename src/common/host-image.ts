/** The image name that means no image at all: the command runs on the host's own file system, under the process runtime. */
const HOST_IMAGE = 'host';

/** Whether a task with this image is a host command; Docker clients add ":latest" to a bare name. */
export const isHostImage = (image: string): boolean => image === HOST_IMAGE || image === `${HOST_IMAGE}:latest`;
