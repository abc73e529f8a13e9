# @copilotkit/aimock as provider: an LLM server that others have made, so that it has none of our mistakes. It says what
# its fixtures say (see its README), in the format in which it is asked, and keeps a journal in which each request stands
# in OpenAI's shape, as it has read it. The one key that it accepts is that of AgentQueue.pm.
package Aimock;

use strict;
use warnings FATAL => 'all';

use AgentQueue;
use Exporter 'import';
use HTTP::Tiny;
use IPC::Open2 ();
use JSON::PP ();

our @EXPORT = qw(start_aimock aimock_url add_fixtures journal_of);

# What comes before the path of the wire format.
my %version = (openai => '/v1', anthropic => '/v1', gemini => '/v1beta', ollama => '');

my $aimock;

sub start_aimock
{
	my $modules = $ENV{AQ_NODE_MODULES} // '';
	die "there is no $modules/\@copilotkit/aimock: tools/install_deps installs it" unless -d "$modules/\@copilotkit/aimock";
	# The node of the distribution may be older than what aimock needs.
	my $node = -x "$modules/.bin/node" ? "$modules/.bin/node" : 'node';
	local $ENV{AIMOCK_API_KEYS} = $AgentQueue::KEY;
	my $pid = IPC::Open2::open2(my $out, my $in, $node, "$ENV{AQ_ROOT}/test/support/aimock.mjs");
	my ($url) = (<$out> // '') =~ /^URL (\S+)/ or die 'aimock did not start';
	$aimock = { pid => $pid, in => $in, out => $out, url => $url };
	return;
}

END
{
	my $status = $?;
	if ($aimock)
	{
		close $aimock->{in};
		waitpid $aimock->{pid}, 0;
	}
	$? = $status;
}

# The base_url of a provider that speaks $format.
sub aimock_url
{
	my ($format) = @_;
	return $aimock->{url} . $version{$format};
}

sub control
{
	my ($method, $path, $content) = @_;
	my %options = (headers => { authorization => "Bearer $AgentQueue::KEY" });
	$options{content} = JSON::PP::encode_json($content) if $content;
	my $answer = HTTP::Tiny->new(timeout => 20)->request($method, "$aimock->{url}/__aimock$path", \%options);
	die "aimock: $answer->{status} $answer->{content}" unless $answer->{success};
	return JSON::PP::decode_json($answer->{content});
}

# Each is [ match, response ], or [ match, response, further members ].
sub add_fixtures
{
	my @fixtures = map { { match => $_->[0], response => $_->[1], %{ $_->[2] // {} } } } @_;
	return control('POST', '/fixtures', { fixtures => \@fixtures });
}

# The requests whose last user turn is $text, oldest first: method, path, headers, body (in OpenAI's shape), response.
sub journal_of
{
	my ($text) = @_;
	my @found;
	foreach my $entry (@{ control('GET', '/journal') })
	{
		my @users = grep { $_->{role} eq 'user' } @{ $entry->{body}{messages} // [] };
		push @found, $entry if @users && ($users[-1]{content} // '') eq $text;
	}
	return @found;
}

1;
