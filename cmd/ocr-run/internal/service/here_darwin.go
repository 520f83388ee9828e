package service

// Here is the manager of this system.
func Here() Manager { return Launchd }

// Lingers says whether a user's services also run while the user is not logged in.
// launchd runs agents in a login at the screen only, and has no such setting.
func Lingers(string) (on, known bool) { return false, false }
