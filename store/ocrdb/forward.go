package ocrdb

import "context"

// firstForward is the first schema of the releases whose dashboard goes on by
// itself with a review that was left unfinished.
const firstForward = 14

// GoesOn says whether the product may go on with a review by itself, as its
// dashboard does once no execution of it is at work and a vendor's session is
// known.
func (h Host) GoesOn(ctx context.Context) (yes bool, err error) {
	err = h.view(ctx, func(_ context.Context, _ queryer, s schema) error {
		yes = s.version >= firstForward
		return nil
	})
	return yes, err
}
