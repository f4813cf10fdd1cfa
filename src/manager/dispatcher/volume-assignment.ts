/** Cluster volumes as a node sees them. */
import type { Volume } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { VolumeAssignment, VolumePublishStatus_State } from '../../proto/generated/docker/swarmkit/v1/types.ts';

/** What to send a node about a volume; undefined while (or once) the volume is not published to it. */
export function volumeAssignment(volume: Volume, nodeId: string): VolumeAssignment | undefined {
  const published = volume.publishStatus.find(
    (status) => status.nodeId === nodeId && status.state === VolumePublishStatus_State.PUBLISHED,
  );
  if (!published) return undefined;
  return VolumeAssignment.fromPartial({
    id: volume.id,
    volumeId: volume.volumeInfo?.volumeId ?? '',
    driver: volume.spec?.driver,
    volumeContext: volume.volumeInfo?.volumeContext ?? {},
    publishContext: published.publishContext,
    accessMode: volume.spec?.accessMode,
    secrets: volume.spec?.secrets ?? [],
  });
}

/** The volume after a node has let go of it; undefined when nothing changes. */
export function withNodeUnpublished(volume: Volume, nodeId: string): Volume | undefined {
  const isWaiting = (status: Volume['publishStatus'][number]): boolean =>
    status.nodeId === nodeId && status.state === VolumePublishStatus_State.PENDING_NODE_UNPUBLISH;
  if (!volume.publishStatus.some(isWaiting)) return undefined;
  return {
    ...volume,
    publishStatus: volume.publishStatus.map((status) =>
      isWaiting(status) ? { ...status, state: VolumePublishStatus_State.PENDING_UNPUBLISH } : status,
    ),
  };
}
