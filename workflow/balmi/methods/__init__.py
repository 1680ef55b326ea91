"""The methods: peers, the balanced network, and how what they are asked for ends."""
