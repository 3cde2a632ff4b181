package logfile

import "context"

// FollowWithoutPoll is [Follow] with nothing but the file system's
// notifications.
func FollowWithoutPoll(ctx context.Context, path string, offset int64, emit func(Event)) error {
	return follow(ctx, path, offset, emit, nil)
}
