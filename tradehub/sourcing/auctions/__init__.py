"""Auctions: English, reverse, Dutch and sealed second-price, live on every bidder's screen."""
