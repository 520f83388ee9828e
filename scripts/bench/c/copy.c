/*
 * The shortest PTY wrappers worth comparing with.
 *
 *   copy poll CMD...    one process, poll(2) on both directions
 *   copy block CMD...   blocking copies, a second process for the keyboard
 *
 * Both exit with the child's code, or 128 plus its signal.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#ifdef __APPLE__
#include <util.h>
#else
#include <pty.h>
#endif

static char buffer[65536];

/* Copies what is there now; 0 at the end of from. */
static int copy_once(int from, int to)
{
	ssize_t n = read(from, buffer, sizeof buffer);
	if (n < 0 && errno == EINTR)
		return 1;
	if (n <= 0)
		return 0;
	for (ssize_t done = 0; done < n;) {
		ssize_t w = write(to, buffer + done, n - done);
		if (w < 0 && errno != EINTR)
			return 0;
		if (w > 0)
			done += w;
	}
	return 1;
}

static void copy_poll(int master)
{
	struct pollfd fds[2] = {{.fd = master, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents && !copy_once(master, 1))
			return;
		if (fds[1].revents && !copy_once(0, master))
			fds[1].fd = -1;
	}
}

static void copy_block(int master)
{
	pid_t keyboard = fork();
	if (keyboard == 0) {
		while (copy_once(0, master))
			;
		_exit(0);
	}
	while (copy_once(master, 1))
		;
	kill(keyboard, SIGKILL);
	waitpid(keyboard, NULL, 0);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: copy poll|block CMD...\n");
		return 125;
	}
	struct termios saved;
	struct winsize size;
	int is_terminal = tcgetattr(0, &saved) == 0 && ioctl(0, TIOCGWINSZ, &size) == 0;
	int master;
	pid_t child = forkpty(&master, NULL, is_terminal ? &saved : NULL, is_terminal ? &size : NULL);
	if (child < 0) {
		perror("forkpty");
		return 125;
	}
	if (child == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (is_terminal) {
		struct termios raw = saved;
		cfmakeraw(&raw);
		tcsetattr(0, TCSANOW, &raw);
	}
	if (strcmp(argv[1], "block") == 0)
		copy_block(master);
	else
		copy_poll(master);
	int status = 0;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (is_terminal)
		tcsetattr(0, TCSANOW, &saved);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
